"""What HTTP sees: routes and pages, the bodies they take, who is let in, and how refusals are worded."""
