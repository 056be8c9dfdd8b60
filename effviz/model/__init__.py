"""Networks as immutable data: layers, blocks, the stage table, shapes, JSON."""

import effviz.model.design_json  # noqa: F401 -- attaches Design.to_json and Design.from_json
