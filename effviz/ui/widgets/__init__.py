"""Widgets that pages share. A page reads controls, computes on the engine's side, and shows the result with these.

| module | widgets | show | used by |
|---|---|---|---|
| `frame` | `header, moving, sidebar, look, notice` | title, moving part, convention, colors, notices | all pages |
| `cards` | `report_cards, count_card, Card, show_cards` | headline numbers against a named baseline | all but Home |
| `charts` | `show_chart, chart_row, kind_legend, stage_measures` | charts under their finding, one legend | all pages |
| `tables` | `Table, Column, count_columns, Pick, show_table` | data tables, folded or selectable; CSV | all pages |
| `layers` | `layer_table, layers_of` | layers of a network | Architectures, Building blocks |
| `exercise` | `Exercise, exercises, exercise` | predictions before the answer | all but Home |
| `formula` | `formula, formula_grid, layer_formulas` | formulas and their numbers | all but Home |
| `downloads` | `downloads, csv_file, json_file, File, file_name` | files, and the permalink | all but Home |
| `live_latency` | `conditions, read, card, bar, history` | latency of the network on screen | pages of one network |
| `measuring` | `run_bar, Words` | measurement of several networks | Memory access cost, Latency |
| `diagram` | `structure, diagram` | blocks, and a torchview diagram | Architectures, Building blocks |
| `jobs` | `ask, live_part, polled, progress_text` | jobs of the torch process | other widgets, Architectures |
| `parts` | `Part, parts, is_open` | parts below the chart, one at a time | all but Home |
| `component` | `component` | scripts in `effviz/ui/static` | other widgets |

Numbers of a `Report` are named, converted and formatted by `effviz.ui.convention.Convention`, by the name of their
attribute: ``convention.label("macs")``, ``.heading``, ``.show``, ``.exact``, ``.value``, ``.factor``, ``.help``.

The contents of widgets (`Chart`, `Table`, `Card`, `File`, `Exercise`) are plain data from pure functions. Only the
functions that take them send messages to the browser.
"""
