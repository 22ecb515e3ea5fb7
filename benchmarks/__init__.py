"""How fast, how soon, how fair and at what cost: `make bench`. Each number stands beside its baseline's."""
