"""COCO's evaluation of detections and keypoints under pycocotools' names, without its loops over images in Python.

    from ptfast.dropin.pycocotools import COCO, COCOeval  # instead of: from pycocotools.coco import COCO, ...

Equal to pycocotools 2.0.11 in what it takes, gives, prints and writes into the annotations, to the last bit of every
similarity, match and figure (on processors without fused multiply-add in pycocotools' build, as its x86-64 wheels are).
All images are done together, in NumPy: ptfast.ops rounds OKS and IoU in another order, and where a similarity meets a
threshold a match hangs on the last bit. COCO reads a data set in a fraction of the time. The evaluator takes any
objects with COCO's methods getImgIds, getCatIds, getAnnIds and loadAnns, and annToRLE for masks.

Like the original, it takes a match with an annotation or a detection whose id is 0 for none, unless zero_ids=True, and
finds nothing alike in keypoints with useCats = 0. Three things differ. str() of an evaluator gives "" once the summary
is printed, and no error. Boxes may be tuples. People with labelled joints need no box for OKS. Masks (iouType "segm")
need pycocotools installed, for their IoU.
"""

from ptfast.dropin._pycocotools.coco import COCO
from ptfast.dropin._pycocotools.evaluator import COCOeval
from ptfast.dropin._pycocotools.params import Params

__all__ = ["COCO", "COCOeval", "Params"]
