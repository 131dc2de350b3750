"""`howsfit train`: HR-VITON's trainings on a data set of one's own. The steps themselves are in `training`."""
