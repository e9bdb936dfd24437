"""The mask inside the decoder against its definition, cell by cell."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rsvlm_geo.export.decoder import attention_bias

pytestmark = pytest.mark.export


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_attention_bias(data: st.DataObject) -> None:
    total = data.draw(st.integers(1, 9))
    queries = data.draw(st.integers(1, total))
    mask = data.draw(st.lists(st.integers(0, 1), min_size=total, max_size=total))
    types = data.draw(st.none() | st.lists(st.integers(0, 1), min_size=total, max_size=total))
    window = data.draw(st.none() | st.integers(1, 5))
    got = attention_bias(
        torch.tensor([mask]),
        queries,
        torch.float32,
        token_type_ids=None if types is None else torch.tensor([types]),
        window=window,
    )
    assert got.shape == (1, 1, queries, total)
    lowest = np.finfo(np.float32).min
    for row in range(queries):
        i = total - queries + row
        for j in range(total):
            sees = j <= i and (window is None or j > i - window)
            if types is not None and types[i] == 0 and types[j] == 0:
                sees = True
            sees = sees and mask[j] == 1
            assert got[0, 0, row, j].item() == (0.0 if sees else lowest)
