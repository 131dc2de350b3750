"""What `bench.engines` measures: a module for each engine of the stage `tryon` that paints in steps, named like it, with

    REDUCED = "1 of 4 mixers, ..."             what is left of the network on a processor, in words
    SHARE = 0.1                                of the whole network's multiply-adds in that

    write(folder, reduced)                     its made-up weights, as the engine takes them
    Ours(folder, reduced, device, dtype)       as the engine runs the network
    Plain(folder, reduced, device, dtype)      the same as its authors wire it

Both classes have `step()`, one guided step of one sample in full size, and `pictures(steps, count)`, so many samples from
noise in one batch; each gives a tensor, the same one each time, and in float32 nearly the other's.
"""
