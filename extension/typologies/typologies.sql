-- Typologies: patterns of money laundering in the history of transactions.

-- All read the transactions of a period once, with the rights of the caller,
-- and work in memory: see transfers.c.

CREATE OR REPLACE FUNCTION @extschema@.fintrans_repeated_transfers(
  minimum bigint DEFAULT 2,
  within interval DEFAULT '1 day',
  spread numeric DEFAULT 0.5,
  since timestamptz DEFAULT '-infinity',
  before timestamptz DEFAULT 'infinity')
RETURNS SETOF @extschema@.fintrans_finding
LANGUAGE c STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100
AS 'MODULE_PATHNAME';

COMMENT ON FUNCTION @extschema@.fintrans_repeated_transfers(bigint, interval, numeric, timestamptz, timestamptz) IS
  'Pairs of accounts with at least so many similar transfers within a window shorter than "within": the largest exceeds the smallest by at most the share "spread". Of the transactions with since <= event_time < before.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_fan_in(
  burst_accounts bigint DEFAULT 5,
  burst_window interval DEFAULT '1 day',
  burst_spread numeric DEFAULT 0.1,
  split_accounts bigint DEFAULT 2,
  split_window interval DEFAULT '180 days',
  split_spread numeric DEFAULT 0.5,
  since timestamptz DEFAULT '-infinity',
  before timestamptz DEFAULT 'infinity')
RETURNS SETOF @extschema@.fintrans_finding
LANGUAGE c STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100
AS 'MODULE_PATHNAME';

COMMENT ON FUNCTION @extschema@.fintrans_fan_in(bigint, interval, numeric, bigint, interval, numeric, timestamptz, timestamptz) IS
  'Accounts paid by many: by burst_accounts with similar amounts (burst_spread) within burst_window; or by split_accounts with similar amounts (split_spread) within split_window, repeatedly within burst_window by at least one of them and out of habit by the others. Of the transactions with since <= event_time < before.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_fan_out(
  burst_accounts bigint DEFAULT 5,
  burst_window interval DEFAULT '1 day',
  burst_spread numeric DEFAULT 0.1,
  split_accounts bigint DEFAULT 3,
  split_window interval DEFAULT '180 days',
  split_spread numeric DEFAULT 0.5,
  since timestamptz DEFAULT '-infinity',
  before timestamptz DEFAULT 'infinity')
RETURNS SETOF @extschema@.fintrans_finding
LANGUAGE c STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100
AS 'MODULE_PATHNAME';

COMMENT ON FUNCTION @extschema@.fintrans_fan_out(bigint, interval, numeric, bigint, interval, numeric, timestamptz, timestamptz) IS
  'Accounts that pay many, by the same rules as fintrans_fan_in().';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_structuring(
  limit_amount numeric DEFAULT 10000,
  band numeric DEFAULT 0.1,
  minimum bigint DEFAULT 3,
  within interval DEFAULT '1 day',
  since timestamptz DEFAULT '-infinity',
  before timestamptz DEFAULT 'infinity')
RETURNS SETOF @extschema@.fintrans_finding
LANGUAGE c STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100
AS 'MODULE_PATHNAME';

COMMENT ON FUNCTION @extschema@.fintrans_structuring(numeric, numeric, bigint, interval, timestamptz, timestamptz) IS
  'Accounts that paid at least "minimum" amounts below limit_amount, but by no more than the share "band" of it, within a window shorter than "within". Of the transactions with since <= event_time < before.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_pass_through(
  minimum bigint DEFAULT 3,
  within interval DEFAULT '1 day',
  share numeric DEFAULT 0.95,
  work bigint DEFAULT 1000000000,
  since timestamptz DEFAULT '-infinity',
  before timestamptz DEFAULT 'infinity')
RETURNS SETOF @extschema@.fintrans_finding
LANGUAGE c STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100
AS 'MODULE_PATHNAME';

COMMENT ON FUNCTION @extschema@.fintrans_pass_through(bigint, interval, numeric, bigint, timestamptz, timestamptz) IS
  'Accounts which what they received in at least "minimum" transfers left again, by at least the given share of it and never more, within a window shorter than "within", in amounts that they send at no other time. Of the transactions with since <= event_time < before; an error if that takes more than "work" steps.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_scatter_gather(
  minimum bigint DEFAULT 3,
  within interval DEFAULT '10 days',
  loss numeric DEFAULT 0.05,
  work bigint DEFAULT 1000000000,
  since timestamptz DEFAULT '-infinity',
  before timestamptz DEFAULT 'infinity')
RETURNS SETOF @extschema@.fintrans_finding
LANGUAGE c STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100
AS 'MODULE_PATHNAME';

COMMENT ON FUNCTION @extschema@.fintrans_scatter_gather(bigint, interval, numeric, bigint, timestamptz, timestamptz) IS
  'Accounts that paid at least "minimum" others, each of which handed the amount on to the same account, less at most the share "loss", all within a window shorter than "within". Of the transactions with since <= event_time < before; an error if that takes more than "work" steps.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_chains(
  minimum bigint DEFAULT 2,
  within interval DEFAULT '180 days',
  loss numeric DEFAULT 0,
  ordered boolean DEFAULT false,
  chance numeric DEFAULT 0.05,
  since timestamptz DEFAULT '-infinity',
  before timestamptz DEFAULT 'infinity')
RETURNS SETOF @extschema@.fintrans_finding
LANGUAGE c STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100
AS 'MODULE_PATHNAME';

COMMENT ON FUNCTION @extschema@.fintrans_chains(bigint, interval, numeric, boolean, numeric, timestamptz, timestamptz) IS
  'Chains of at least "minimum" transfers of the same amount, less at most the share "loss" at each account, which got it from one account and sent it to one, neighbours less than "within" apart. A broken ring if not in the order of time, unless "ordered". At most "chance" such chains would come about by chance. Of the transactions with since <= event_time < before.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_cycles(
  minimum bigint DEFAULT 3,
  maximum bigint DEFAULT 10,
  tolerance numeric DEFAULT 0,
  ordered boolean DEFAULT false,
  within interval DEFAULT '180 days',
  chance numeric DEFAULT 0.05,
  work bigint DEFAULT 100000000,
  since timestamptz DEFAULT '-infinity',
  before timestamptz DEFAULT 'infinity')
RETURNS SETOF @extschema@.fintrans_finding
LANGUAGE c STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100
AS 'MODULE_PATHNAME';

COMMENT ON FUNCTION @extschema@.fintrans_cycles(bigint, bigint, numeric, boolean, interval, numeric, bigint, timestamptz, timestamptz) IS
  'Rings of "minimum" to "maximum" accounts, each once, whose amounts differ from one another by at most the share "tolerance" of the first (NULL: any amounts), within a window shorter than "within", and in the order of time if "ordered". At most "chance" such rings would come about by chance. Of the transactions with since <= event_time < before; an error if that takes more than "work" steps.';
