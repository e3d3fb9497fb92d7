import pytest
from tests.journeys.test_any_sequence import *
from tests.journeys.any_sequence import *
@pytest.mark.parametrize("seed,tidy", [(8,True),(8,False),(11,True),(11,False)])
async def test_dbg(database_url, seed, tidy):
    async with site(database_url, shop=False, transport="enet" if seed % 2 else "harmony") as made:
        await patient(made)
        street = Street(made, seed)
        ops = operations(seed)
        try:
            done = await (street.tidily(ops) if tidy else street.wildly(ops))
        except AssertionError as e:
            print("STUCK", e); done=[]
        print(seed, tidy, list(zip(ops, done)))
        rows = (await made.http.get(f"{made.urls['opayo']}/_sandbox/ledger")).json()["transactions"]
        for r in rows: print("  ", r["vendorTxCode"], r["transactionType"], r["amount"], r["state"], r["captured"], r["refunded"])
        async with made.engine.connect() as c:
            for x in (await c.exec_driver_sql("select vendor_tx_code,kind,amount_minor,state,lane,error->>'title' from payments order by 1")).all(): print("   P", x)
        print(await gl(made))
