"""Parts of ptfast.dropin.torchvision."""
