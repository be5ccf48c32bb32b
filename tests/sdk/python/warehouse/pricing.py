"""What things cost."""


def total(lines, discount):
    amount = sum(line["price"] * line["quantity"] for line in lines)
    if discount is None:
        return amount
    return split(amount, int(discount))


def split(amount, parts):
    return amount // parts


def recurse(depth):
    if depth == 0:
        raise RuntimeError("the price list refers to itself")
    return recurse(depth - 1)
