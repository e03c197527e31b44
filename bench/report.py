"""How the programs of this folder hand over what they measured."""
import json


def report(result, out):
    """Prints `result` as JSON, and writes it to `out` when that is given."""
    text = json.dumps(result, indent=1)
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text + "\n")
    print(text)
