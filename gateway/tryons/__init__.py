"""Try-ons, one by one and in batches: what is asked for, whether it is taken, its run of the stage graph, its end."""
