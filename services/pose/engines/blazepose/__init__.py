"""BODY_25 keypoints from MediaPipe's BlazePose."""
