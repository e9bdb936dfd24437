"""Writes the command-line reference from the commands themselves, while the site is built."""

from __future__ import annotations

from typing import Any

import click


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Fill ``{{ cli }}`` with every command's own help."""
    if "{{ cli }}" not in markdown:
        return markdown
    from rsvlm_geo.cli import main

    return markdown.replace("{{ cli }}", "\n".join(_helps(main, "rsvlm-geo", None)))


def _helps(command: click.Command, name: str, parent: click.Context | None) -> list[str]:
    context = click.Context(command, info_name=name, parent=parent, max_content_width=92)
    level = 1 if parent is None else len(context.command_path.split())
    title = context.command_path
    text = f"{'#' * min(level + 1, 4)} {title}\n\n```text\n{command.get_help(context)}\n```\n"
    blocks = [text]
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            if found is not None and not found.hidden:
                blocks += _helps(found, child, context)
    return blocks
