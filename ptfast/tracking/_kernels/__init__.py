"""Numba kernels of mean shift, the shortest path, and the merging of pose hypotheses that consists of both.

Names are those of Wang et al. 2020, section 3.3. A person's tracklets that cover frame t give each joint the hypotheses
H. Mean shift groups them into clusters C_i with centres mu_i. One cluster a frame is taken, by the shortest path
through the clusters of consecutive frames, where a step from cluster i to cluster j costs

    1 - |C_j| / |H| + lambda * ||mu_i - mu_j||

The first term is the data term, since a cluster of many hypotheses is consistent within its frame; the second is the
transition term, which is low where motion is smooth.

Arrays that belong together travel as a NamedTuple. Kernels take ranges of problems, release the GIL and run on threads.
"""
