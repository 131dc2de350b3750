"""HR-VITON's two trainings: Lee et al., ECCV 2022. Networks and names of parameters are those of the serving engine."""
