# Writes rotate.txt: an image of 2 channels, 5 x 7, and what PyTorch 2.14.1
# makes of it, turned around its middle against the clock: bilinear, with zeros
# outside. Run it as python3 rotate.py > rotate.txt.
import math

import torch
import torch.nn.functional as F

assert torch.__version__.startswith("2.14.1"), torch.__version__
torch.manual_seed(1)
height, width = 5, 7
image = torch.rand(1, 2, height, width, dtype=torch.float64)
print("image", *[repr(v) for v in image.flatten().tolist()])
for degrees in [0.5, 10, -25, 90, 180]:
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    theta = torch.tensor([[[cos, -sin * height / width, 0], [sin * width / height, cos, 0]]], dtype=torch.float64)
    grid = F.affine_grid(theta, image.shape, align_corners=False)
    turned = F.grid_sample(image, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    print(degrees, *[repr(v) for v in turned.flatten().tolist()])
