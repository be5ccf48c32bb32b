"""Writes a shop of a hundred modules, in Python or JavaScript, each failing in a stack of its own.

Usage: python generate.py {python|node} FOLDER
"""

import pathlib
import random
import sys

VERBS = "load merge price check book pack route refund invoice settle audit notify".split()
NOUNS = "order basket parcel voucher ledger carrier address tariff stock customer".split()
FAILURES = [
    ("KeyError", 'return {"sku": 1}["missing"]'),
    ("ZeroDivisionError", "return amount // (amount - amount)"),
    ("ValueError", "return int(f\"{amount} pieces\")"),
    ("TypeError", "return amount + []"),
    ("RuntimeError", 'raise RuntimeError(f"order {amount} rejected")'),
]


def python_module(number, pick):
    depth = 6 + number % 26
    names = [f"{pick.choice(VERBS)}_{pick.choice(NOUNS)}_{number:02}_{level}" for level in range(depth)]
    lines = [f'"""Orders of kind {number:02}."""', "", "import logging", "", f'log = logging.getLogger("shop.order_{number:02}")', ""]
    for level, name in enumerate(names):
        lines += ["", f"def {name}(amount, customer, options):"]
        lines += [f'    """Step {level} of kind {number:02}."""', f"    rate_{level} = amount * {level + 1} % 97"]
        lines += [f'    history_{level} = [rate_{level}, customer, options.get("express")]']
        lines += [f'    log.info("step %d of kind {number:02} for %s", {level}, customer)']
        if level + 1 < depth:
            lines += [f"    result = {names[level + 1]}(amount, customer, options)", f"    return result, history_{level}", ""]
        else:
            lines += [f"    {FAILURES[number % len(FAILURES)][1]}", ""]
    lines += ["", f"run = {names[0]}", ""]
    return "\n".join(lines)


def node_module(number, pick):
    depth = 6 + number % 26
    names = [f"{pick.choice(VERBS)}{pick.choice(NOUNS).title()}{number:02}x{level}" for level in range(depth)]
    lines = [f"// Orders of kind {number:02}.", f"export class OrderError{number:02} extends Error {{", f"  name = \"OrderError{number:02}\";", "}", ""]
    for level, name in enumerate(names):
        lines += [f"{'export ' if level == 0 else ''}function {name}(amount, customer, options) {{"]
        lines += [f"  const rate{level} = (amount * {level + 1}) % 97;", f"  const history{level} = [rate{level}, customer, options.express];"]
        lines += [f"  console.info(\"step %d of kind {number:02} for %s\", {level}, customer);"]
        if level + 1 < depth:
            lines += [f"  const result = {names[level + 1]}(amount, customer, options);", f"  return [result, history{level}];", "}", ""]
        else:
            lines += [f"  throw new OrderError{number:02}(`order ${{amount}} rejected at step {number:02}`);", "}", ""]
    lines += [f"export const run = {names[0]};", ""]
    return "\n".join(lines)


def main():
    language, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    pick = random.Random(17)
    for number in range(100):
        if language == "python":
            (folder / f"order_{number:02}.py").write_text(python_module(number, pick))
        else:
            (folder / f"order_{number:02}.mjs").write_text(node_module(number, pick))
    if language == "python":
        (folder / "__init__.py").write_text("")


main()
