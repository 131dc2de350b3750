"""Try-ons, one by one, in batches and compared: what is asked for, whether it is taken, its run of the stage graph, its end."""
