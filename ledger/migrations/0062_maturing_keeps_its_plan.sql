-- A look at what a streamer has earned (0059) took two milliseconds, nearly all of it to plan it for all
-- partitions anew. Its plan is kept, so it takes a sixth of one.
ALTER FUNCTION ledger.ripe_minor(uuid, text, timestamptz) SET enable_seqscan = off;
ALTER FUNCTION ledger.ripe_minor(uuid, text, timestamptz) SET plan_cache_mode = force_generic_plan;
-- Streamers come from the index in the order of their ids, however few rows the planner knows of: to
-- sort all of them for each page took a third of a second at 20,000.
ALTER FUNCTION ledger.mature_earnings(text, timestamptz, uuid, integer, text) SET enable_sort = off;
