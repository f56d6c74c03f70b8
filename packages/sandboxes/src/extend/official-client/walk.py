"""Walks through Extend with its official client, unchanged but for the host, and prints what came back.

Usage: EXTEND_API_KEY=... EXTEND_API_SECRET=... walk.py HOST:PORT
The last line on stdout is one JSON object, a member for each step.
"""

import asyncio
import json
import os
import sys
from datetime import datetime, timedelta

import extend.client
import httpx
from extend import ExtendClient

# The client reads its host from a constant; everything else is as published.
extend.client.API_HOST = sys.argv[1]


async def status_of(call):
    """The status that the client raised, as its users see a failure."""
    try:
        await call
    except httpx.HTTPStatusError as error:
        return error.response.status_code
    return None


async def walk(client):
    steps = {}
    cards = client.virtual_cards
    valid_to = (datetime.now() + timedelta(days=90)).strftime("%Y-%m-%dT23:59:59.999Z")

    steps["creditCards"] = await client.credit_cards.get_credit_cards(status="ACTIVE")
    credit_card_id = steps["creditCards"]["creditCards"][0]["id"]
    steps["creditCard"] = await client.credit_cards.get_credit_card_detail(credit_card_id)

    steps["list"] = await cards.get_virtual_cards(page=1, per_page=10)
    steps["closed"] = await cards.get_virtual_cards(status="closed")
    steps["sorted"] = await cards.get_virtual_cards(
        search_term="travel", sort_field="balanceCents", sort_direction="ASC"
    )

    steps["created"] = await cards.create_virtual_card(
        credit_card_id=credit_card_id,
        display_name="Contract test",
        balance_cents=100,
        notes="Made by a test",
        recurs=False,
        recipient="recipient@example.com",
        cardholder="cardholder@example.com",
        valid_to=valid_to,
    )
    card_id = steps["created"]["virtualCard"]["id"]
    steps["detail"] = await cards.get_virtual_card_detail(card_id)
    steps["updated"] = await cards.update_virtual_card(
        card_id=card_id, display_name="Renamed", notes="Changed by a test", balance_cents=200
    )
    steps["cancelled"] = await cards.cancel_virtual_card(card_id)
    steps["closedCard"] = await cards.close_virtual_card(card_id)

    steps["recurring"] = await cards.create_virtual_card(
        credit_card_id=credit_card_id,
        display_name="Daily",
        balance_cents=100,
        recurs=True,
        recurrence={
            "balance_cents": 100,
            "period": "DAILY",
            "interval": 1,
            "terminator": "DATE",
            "until": valid_to,
        },
    )

    steps["report"] = await client.transactions.get_transactions(
        page=1,
        per_page=5,
        from_date=(datetime.now() - timedelta(days=60)).strftime("%Y-%m-%d"),
        status=["pending", "CLEARED"],
        sort_field="-amount",
    )
    transaction = steps["report"]["report"]["transactions"][0]
    steps["transaction"] = await client.transactions.get_transaction(transaction["id"])
    steps["cardReport"] = await client.transactions.get_transactions(
        virtual_card_id=transaction["virtualCardId"], receipt_missing=True
    )

    steps["missing"] = await status_of(cards.get_virtual_card_detail("vc_missing"))
    stranger = ExtendClient(os.environ["EXTEND_API_KEY"], "guess")
    steps["stranger"] = await status_of(stranger.virtual_cards.get_virtual_cards())
    return {"validTo": valid_to, **steps}


official = ExtendClient(os.environ["EXTEND_API_KEY"], os.environ["EXTEND_API_SECRET"])
print(json.dumps(asyncio.run(walk(official))))
