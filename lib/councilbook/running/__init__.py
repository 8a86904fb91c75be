"""Running: which notebooks have to run, and how they are run."""

import sys

# With it jsonschema, which nbformat brings, would check addresses as no notebook has them; it takes 0.8 s to import.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
