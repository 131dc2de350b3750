"""What is kept: blobs in a folder or in S3, who holds them, results for reuse, and the database that all gateways share."""
