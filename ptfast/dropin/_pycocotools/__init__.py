"""Parts of ptfast.dropin.pycocotools."""
