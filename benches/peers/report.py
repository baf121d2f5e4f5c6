"""Medians and ratios as a Markdown table."""

import statistics

COLUMNS = ["wall_seconds", "client_cpu_seconds", "server_cpu_seconds", "peak_bytes"]


def summary(runs):
    """runs: {contender: [measurement or error text]}. Medians of the right runs; a contender with an error has none."""
    found = {}
    for name, measured in runs.items():
        errors = [entry for entry in measured if isinstance(entry, str)]
        if errors:
            found[name] = {"error": errors[0]}
        elif measured:
            found[name] = {column: statistics.median(entry[column] for entry in measured) for column in COLUMNS}
            found[name]["wall_seconds_all"] = [round(entry["wall_seconds"], 3) for entry in measured]
    return found


def fastest(found, roles, role):
    walls = [entry["wall_seconds"] for name, entry in found.items() if roles[name] == role and "error" not in entry]
    return min(walls, default=None)


def table(title, found, roles):
    peer, ceiling = fastest(found, roles, "peer"), fastest(found, roles, "ceiling")
    lines = [
        f"### {title}", "",
        "| | wall s | x fastest peer | x ceiling | client CPU s | server CPU s | peak MB | all walls |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, entry in found.items():
        label = f"*{name}* (ceiling)" if roles[name] == "ceiling" else f"**{name}**" if roles[name] == "flowetl" else name
        if "error" in entry:
            lines.append(f"| {label} | **wrong**: {entry['error'].replace('|', '/')[:300]} | | | | | | |")
            continue
        wall = entry["wall_seconds"]
        lines.append(
            f"| {label} | {wall:.2f} | {ratio(wall, peer)} | {ratio(wall, ceiling)} | {entry['client_cpu_seconds']:.2f} "
            f"| {entry['server_cpu_seconds']:.2f} | {entry['peak_bytes'] / 1e6:.0f} "
            f"| {' '.join(f'{value:.2f}' for value in entry['wall_seconds_all'])} |"
        )
    return "\n".join(lines) + "\n"


def ratio(wall, base):
    return f"{wall / base:.2f}" if base else "-"
