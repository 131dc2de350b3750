"""PoseNet, with its published network run by OpenCV; decoder and conversion are our own."""
