"""The four guidelines of ShuffleNetV2 (arXiv 1807.11164, section 2): exact counts, and the experiments as designs.

The theory is about memory access at fixed multiply-adds, of one convolution (guidelines 1 and 2) or one block (3 and 4)
on a square map. `effviz.analyze` counts everything, and a closed form confirms every count.

The experiments are tables 1 to 4 of the paper. Every network is a block repeated ten times on a 56 x 56 map:

- 1: two 1x1 convolutions, c1 -> c2 and c2 -> c1. 2: a 1x1 group convolution c -> c. 3: one to four 1x1 convolutions
  c' -> c' in series, or in parallel and added, with c' = c / sqrt(fragments), rounded; the paper prints c and adjusts
  the widths to equal multiply-adds. 4: a bottleneck (1x1, 3x3, 1x1) with and without ReLU and shortcut;
  the paper prints only c, used here as the width of the block, with c / 4 inside as in ResNet. No norm, no bias.
- The scales 1×, 2× and 4× multiply the channels, and so the multiply-adds by 1, 4 and 16. The numbers of the paper show
  it: table 2 (one group, c = 64 on ARM) prints 40.0, 10.2 and 2.3 images/s for the three scales. Table 3 (one fragment,
  the same network) prints 40.2, 10.1 and 2.3 for c = 64, 128 and 256. The GPU figures agree, from c = 128 on.
- Table 2 prints 180 channels in 8 groups for ARM. 8 does not divide 180, so 184 channels are built.
"""
