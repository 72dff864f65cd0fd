"""A contract for import-linter: modules import what is allowed, and nothing else.

import-linter's own contracts list forbidden imports, so they allow every import that nobody thought of.
"""

from __future__ import annotations

import sys
from typing import cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

_IMPURE = frozenset(
    {"asyncio", "http", "multiprocessing", "os", "random", "secrets", "selectors", "shutil", "signal", "socket"}
    | {"ssl", "subprocess", "tempfile", "threading", "time", "urllib3"}
)
"""Modules of the standard library that use a clock, randomness, the network, other processes or the file system."""


class OnlyContract(Contract):
    """`source_modules` and their submodules import only `allowed_modules` and pure modules of the standard library.

    With `impure = true` they may import the whole standard library.
    """

    type_name = "only"
    # import-linter replaces each field by its value.
    source_modules = cast("list[str]", fields.ListField(subfield=fields.StringField()))
    allowed_modules = cast("list[str]", fields.ListField(subfield=fields.StringField()))
    impure = cast("bool", fields.BooleanField(required=False, default=False))

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002 - import-linter's signature
        """Collects the imports of the source modules that are not allowed."""
        found = sorted(
            (importer, imported)
            for source in self.source_modules
            for importer in {source, *graph.find_descendants(source)}
            for imported in graph.find_modules_directly_imported_by(importer)
            if not self._allows(imported)
        )
        return ContractCheck(kept=not found, metadata={"found": found})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Prints the imports that are not allowed."""
        for importer, imported in check.metadata["found"]:
            output.print_error(f"{importer} imports {imported}, which its contract does not allow")

    def _allows(self, imported: str) -> bool:
        root = imported.partition(".")[0]
        if root in sys.stdlib_module_names:
            return self.impure or root not in _IMPURE
        return any(imported == each or imported.startswith(f"{each}.") for each in self.allowed_modules)
