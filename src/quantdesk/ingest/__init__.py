"""From sources to the desk: what frames say is checked, agreed on, kept, and told with its age.

collect     sources kept running; live ones chosen
flow        frame → events → who keeps them; joined in market_data, driven by replay from tapes
gate        each price checked once: rules, outliers, clocks, feeds; rejections counted
board       the desk's word on an asset: consensus, agreement, words, changes, provenance
books       order books            candles    from trades, held to the exchange's
hours       when markets are open  pools      states of on-chain pools
writer      into the store, by waiting and sampling; backfill of holes, retention
recorder    frames onto tapes      journal    what became of each message
news        what is said of assets
"""
