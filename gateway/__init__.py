"""The gateway: the public API, and the durable jobs that run the stages behind it.

Its rooms, each of which uses only those above it (tests/test_architecture.py holds them to that):

errors, paths, settings, metrics, sweeper    what all may use
storage                                      blobs, who holds them, results for reuse, the database
jobs, cluster, callers, outgoing             durable jobs; the stages; keys; requests to strangers' servers
pictures, webhooks                           what came from outside; what is told outside
tryons                                       one by one, in batches and compared, and their run of the stage graph
documents, sheets, gateway                   what the API says of all that; its parts, put together
http                                         routes and pages, the bodies they take, who is let in
app, main                                    the ASGI app
"""
