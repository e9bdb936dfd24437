"""The command line: ``rsvlm-geo`` and ``rio rsvlm``.

Commands live in modules of their own and are imported when they are called, so that
``rsvlm-geo --help`` costs what Python costs.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

from rsvlm_geo import __version__
from rsvlm_geo.errors import RsvlmError

__all__ = ["COMMANDS", "EXIT_CANCELLED", "EXIT_ERROR", "EXIT_INCOMPLETE", "main"]

EXIT_ERROR, EXIT_INCOMPLETE, EXIT_CANCELLED = 1, 3, 130

COMMANDS: dict[str, tuple[str, str]] = {
    "describe": ("rsvlm_geo.cli_verbs:describe", "Captions, classes, main objects, a summary."),
    "caption": ("rsvlm_geo.cli_verbs:caption", "A sentence or two about each tile."),
    "classify": ("rsvlm_geo.cli_verbs:classify", "A scene class per tile."),
    "count": ("rsvlm_geo.cli_verbs:count", "Count the objects of a class, each on the map."),
    "locate": ("rsvlm_geo.cli_verbs:locate", "Put a box around each object of a class."),
    "presence": ("rsvlm_geo.cli_verbs:presence", "Whether a class is there, yes or no per tile."),
    "ask": ("rsvlm_geo.cli_verbs:ask", "Ask in your own words."),
    "batch": ("rsvlm_geo.batch.cli:batch", "Many scenes, many questions, resumable."),
    "stac": ("rsvlm_geo.stac.cli:stac", "Search STAC APIs; check STAC documents."),
    "search": ("rsvlm_geo.retrieval.cli:search", "Find places by words, with a heat map."),
    "index": ("rsvlm_geo.retrieval.cli:index", "Embed scenes once, to search them often."),
    "captions": ("rsvlm_geo.captions.cli:captions", "Caption many images; check, thin, export."),
    "questions": ("rsvlm_geo.honesty.cli:questions", "Honest questions from boxes, checked."),
    "eval": ("rsvlm_geo.evaluate_cli:evaluate", "Measure a model, beside its baselines."),
    "report": ("rsvlm_geo.report.cli:report", "One self-contained page about a saved run."),
    "bench": ("rsvlm_geo.bench:bench", "Run the benchmarks of a checkout, and tell."),
    "doctor": ("rsvlm_geo.cli_doctor:doctor", "What is installed, what runs, and how fast."),
    "models": ("rsvlm_geo.model.cli:models", "List, show, verify, import, bundle, remove models."),
    "export": ("rsvlm_geo.export.cli:export", "A checkpoint to an ONNX pack, proven equal."),
    "verify": ("rsvlm_geo.export.cli:verify", "Compare a pack with its checkpoint, by stages."),
    "serve": ("rsvlm_geo.cli_doctor:serve", "The engine behind the QGIS plugin."),
}
"""Command -> (module:function, one line of help)."""


class LazyGroup(click.Group):
    """Lists commands from the table, imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        module, function = COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(import_module(module), function)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Help from the table, so that nothing is imported."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run; our errors become one line on stderr and exit code 1."""
        try:
            return super().invoke(ctx)
        except RsvlmError as error:
            click.echo(f"error: {' '.join(str(error).split())}", err=True)
            sys.exit(EXIT_ERROR)
        except BrokenPipeError:
            # whoever read our output has gone; keep Python from complaining at exit
            sys.stderr.close()
            sys.exit(EXIT_ERROR)


@click.group("rsvlm", cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="rsvlm-geo")
def main() -> None:
    """Ask an image of the Earth a question and get a map you can trust.

    \b
    rsvlm-geo count harbour.tif ship -o ships.gpkg
    rsvlm-geo describe scene.tif -o scene.gpkg -o scene.png
    rsvlm-geo ask scene.tif "Is there a bridge?" -o bridge.gpkg

    Exit codes: 0 finished, 1 error, 2 usage, 3 finished but a tile failed or a total is short of
    the area with data, 130 cancelled (what was done is kept; the same command with --resume
    goes on).
    """


if __name__ == "__main__":
    main()
