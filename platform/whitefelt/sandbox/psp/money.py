"""Sandpay's own table of currencies and its way of writing amounts. Pure."""

EXPONENTS = {
    **dict.fromkeys(("EUR", "SEK", "GBP", "USD", "NOK", "DKK", "CHF", "PLN", "CAD", "AUD", "NZD", "BRL", "INR"), 2),
    **dict.fromkeys(("JPY", "ISK", "KRW", "CLP"), 0),
    **dict.fromkeys(("KWD", "BHD", "TND", "JOD", "OMR"), 3),
    "BTC": 8,
    "ETH": 9,
}
"""Decimals by currency. Ether is counted in gwei: more would not fit what others count in."""

MOST = 2**53 - 1


def written(amount: int, currency: str) -> str:
    """Minor units as a figure for people: 10000 EUR is ``"100.00"``, 100 JPY is ``"100"``, thousands set apart."""
    decimals = EXPONENTS[currency]
    whole, part = divmod(amount, 10**decimals)
    grouped = f"{whole:,}".replace(",", "\u202f")
    return f"{grouped}.{part:0{decimals}d}" if decimals else grouped
