"""What there is."""

ARTICLES = {"SKU-7": {"left": 4}, "SKU-12": {"left": 1}}


class OutOfStock(Exception):
    """Fewer pieces than wanted."""


def find(sku):
    return ARTICLES[sku]


def take(article, quantity):
    if article["left"] < quantity:
        raise ValueError(f"wanted {quantity}, left {article['left']}")


def reserve(sku, quantity):
    article = find(sku)
    try:
        take(article, quantity)
    except ValueError as error:
        raise OutOfStock(f"{sku} cannot be reserved") from error
