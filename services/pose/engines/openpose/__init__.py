"""OpenPose, run by OpenCV with the published weights; decoder and drawing are our own."""
