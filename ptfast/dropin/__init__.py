"""Other packages' functions under their own names, done by ptfast: change an import, or nothing but a `with`.

    from ptfast.dropin.torchvision import roi_align     # instead of: from torchvision.ops import roi_align

    with ptfast.dropin.patched("torchvision", "pycocotools"):
        main()                                          # an existing program, as it is

Names, argument names and order, defaults, results and errors are the original's; each module's docstring says of which
version, and where the two differ. Originals need not be installed, except to be patched.
"""

from ptfast.dropin._patching import patched

__all__ = ["patched"]
