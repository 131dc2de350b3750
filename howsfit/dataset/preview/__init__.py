"""A data set to look at: a page, contact sheets and what its label maps hold."""
