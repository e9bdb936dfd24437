"""Models behind the :class:`~rsvlm_geo.vlm.Vlm` seam: packs on ONNX Runtime, remote endpoints."""
