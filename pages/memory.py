"""Memory access cost: the four guidelines of ShuffleNetV2, in theory and measured."""

from functools import partial

from effviz.studies.guideline_shapes import compare
from effviz.ui.page_parts.memory import experiment as experiments
from effviz.ui.page_parts.memory import intensity, lesson, networks, theory
from effviz.ui.page_parts.memory.controls import controls
from effviz.ui.widgets.cards import show_cards
from effviz.ui.widgets.frame import header, instrument, moving, section, sidebar, titled
from effviz.ui.widgets.parts import Part, parts

convention = header("memory")


def page() -> None:
    with sidebar():
        options = controls()
    found, run = compare(options.shape), experiments.experiment(options)
    titled(options.shape.title)

    with instrument(), section("The headline"):
        show_cards([*theory.cards(found, convention), experiments.speed_card(run)])
    with section("The theory"):
        theory.show_curves(found, convention)
    experiments.measurement_bar(run, options.threads)
    with section("The experiment"):
        experiments.experiment_chart(run, convention)
    parts(
        Part("How this is computed", partial(lesson.show_formulas, found, convention)),
        Part("Shapes", partial(theory.show_shapes, found, convention)),
        Part("Experiment", partial(experiments.show_networks, run, convention)),
        Part("Networks", networks.networks, (networks.KEY,)),
        Part("Arithmetic intensity", partial(intensity.intensity, convention), ("net",)),
        Part("Try this", partial(lesson.show_exercises, found, run, convention)),
        Part("Downloads", partial(lesson.files, found, run, options.threads, convention)),
    )


moving(page)
