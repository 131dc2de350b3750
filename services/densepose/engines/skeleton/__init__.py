"""DensePose-like body parts from pose and silhouette."""
