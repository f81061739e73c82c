"""Makes ``tests`` this folder's name: torchstain 1.4 installs a package of that name beside itself."""
