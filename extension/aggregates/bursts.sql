-- Bursts: the most there is in any window of a given length; see bursts.c.

CREATE OR REPLACE FUNCTION @extschema@.fintrans_velocity_add(internal, timestamptz, interval)
RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.fintrans_velocity_add(internal, timestamptz, interval) IS
  'Internal: adds an event to the state of fintrans_velocity().';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_peak_add(internal, numeric, timestamptz, interval)
RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.fintrans_peak_add(internal, numeric, timestamptz, interval) IS
  'Internal: adds an event to the state of fintrans_peak().';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_just_below_add(internal, numeric, timestamptz, numeric, interval)
RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.fintrans_just_below_add(internal, numeric, timestamptz, numeric, interval) IS
  'Internal: adds an event to the state of fintrans_just_below().';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_just_below_add(internal, numeric, timestamptz, numeric, interval, numeric)
RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.fintrans_just_below_add(internal, numeric, timestamptz, numeric, interval, numeric) IS
  'Internal: adds an event to the state of fintrans_just_below() with a margin.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_burst_combine(internal, internal)
RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.fintrans_burst_combine(internal, internal) IS
  'Internal: adds the state of another process.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_burst_serialize(internal)
RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.fintrans_burst_serialize(internal) IS
  'Internal: a state as bytes, for another process.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_burst_deserialize(bytea, internal)
RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.fintrans_burst_deserialize(bytea, internal) IS
  'Internal: a state from the bytes of another process.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_burst_number(internal)
RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.fintrans_burst_number(internal) IS
  'Internal: the most events in any window.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_burst_total(internal)
RETURNS numeric
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.fintrans_burst_total(internal) IS
  'Internal: the largest total in any window.';

CREATE OR REPLACE AGGREGATE @extschema@.fintrans_velocity(event_time timestamptz, "window" interval) (
  SFUNC = @extschema@.fintrans_velocity_add,
  STYPE = internal,
  SSPACE = 512,
  FINALFUNC = @extschema@.fintrans_burst_number,
  COMBINEFUNC = @extschema@.fintrans_burst_combine,
  SERIALFUNC = @extschema@.fintrans_burst_serialize,
  DESERIALFUNC = @extschema@.fintrans_burst_deserialize,
  PARALLEL = SAFE
);

COMMENT ON AGGREGATE @extschema@.fintrans_velocity(timestamptz, interval) IS
  'The most transactions in any window. The window is a positive length of time without months, a day being 24 hours; it begins at a transaction, and one exactly its length later is no longer in it. Rows with a NULL are skipped; 0 if there are no others.';

CREATE OR REPLACE AGGREGATE @extschema@.fintrans_peak(amount numeric, event_time timestamptz, "window" interval) (
  SFUNC = @extschema@.fintrans_peak_add,
  STYPE = internal,
  SSPACE = 512,
  FINALFUNC = @extschema@.fintrans_burst_total,
  COMBINEFUNC = @extschema@.fintrans_burst_combine,
  SERIALFUNC = @extschema@.fintrans_burst_serialize,
  DESERIALFUNC = @extschema@.fintrans_burst_deserialize,
  PARALLEL = SAFE
);

COMMENT ON AGGREGATE @extschema@.fintrans_peak(numeric, timestamptz, interval) IS
  'The largest total of amounts in any window, exact. The window is a positive length of time without months, a day being 24 hours; it begins at a transaction, and one exactly its length later is no longer in it. Rows with a NULL are skipped; NULL if there are no others.';

CREATE OR REPLACE AGGREGATE @extschema@.fintrans_just_below(amount numeric, event_time timestamptz, "limit" numeric, "window" interval) (
  SFUNC = @extschema@.fintrans_just_below_add,
  STYPE = internal,
  SSPACE = 512,
  FINALFUNC = @extschema@.fintrans_burst_number,
  COMBINEFUNC = @extschema@.fintrans_burst_combine,
  SERIALFUNC = @extschema@.fintrans_burst_serialize,
  DESERIALFUNC = @extschema@.fintrans_burst_deserialize,
  PARALLEL = SAFE
);

COMMENT ON AGGREGATE @extschema@.fintrans_just_below(numeric, timestamptz, numeric, interval) IS
  'The most amounts just below a limit in any window: from nine tenths of the limit on, but below it. The window is a positive length of time without months, a day being 24 hours; it begins at a transaction, and one exactly its length later is no longer in it. Rows with a NULL are skipped; 0 if there are none.';

CREATE OR REPLACE AGGREGATE @extschema@.fintrans_just_below(amount numeric, event_time timestamptz, "limit" numeric, "window" interval, margin numeric) (
  SFUNC = @extschema@.fintrans_just_below_add,
  STYPE = internal,
  SSPACE = 512,
  FINALFUNC = @extschema@.fintrans_burst_number,
  COMBINEFUNC = @extschema@.fintrans_burst_combine,
  SERIALFUNC = @extschema@.fintrans_burst_serialize,
  DESERIALFUNC = @extschema@.fintrans_burst_deserialize,
  PARALLEL = SAFE
);

COMMENT ON AGGREGATE @extschema@.fintrans_just_below(numeric, timestamptz, numeric, interval, numeric) IS
  'The most amounts just below a limit in any window: from limit * (1 - margin) on, but below the limit; the margin is above 0 and at most 1. The window is a positive length of time without months, a day being 24 hours; it begins at a transaction, and one exactly its length later is no longer in it. Rows with a NULL are skipped; 0 if there are none.';
