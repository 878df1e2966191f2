-- Summaries of amounts: their aggregates and accessors; see summary.c and summarize.c.

CREATE OR REPLACE FUNCTION @extschema@.fintrans_count(summary @extschema@.fintrans_summary)
RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.fintrans_count(@extschema@.fintrans_summary) IS
  'How many amounts a summary is of; NULLs were not counted.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_total(summary @extschema@.fintrans_summary)
RETURNS numeric
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.fintrans_total(@extschema@.fintrans_summary) IS
  'The total of a summary''s amounts, as sum() has it; unit: that of the amounts.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_average(summary @extschema@.fintrans_summary)
RETURNS numeric
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.fintrans_average(@extschema@.fintrans_summary) IS
  'The average of a summary''s amounts, as avg() has it; unit: that of the amounts.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_minimum(summary @extschema@.fintrans_summary)
RETURNS numeric
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.fintrans_minimum(@extschema@.fintrans_summary) IS
  'The smallest of a summary''s amounts, as min() has it.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_maximum(summary @extschema@.fintrans_summary)
RETURNS numeric
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.fintrans_maximum(@extschema@.fintrans_summary) IS
  'The largest of a summary''s amounts, as max() has it; NaN is larger than any other.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_standard_deviation(summary @extschema@.fintrans_summary)
RETURNS numeric
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.fintrans_standard_deviation(@extschema@.fintrans_summary) IS
  'The sample standard deviation of a summary''s amounts, as stddev_samp() has it: NULL if there is but one, NaN if one is not finite.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_summary_add(internal, numeric)
RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.fintrans_summary_add(internal, numeric) IS
  'Internal: adds an amount to the state of fintrans_summary().';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_rollup_add(internal, @extschema@.fintrans_summary)
RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.fintrans_rollup_add(internal, @extschema@.fintrans_summary) IS
  'Internal: adds a summary to the state of fintrans_rollup().';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_summary_combine(internal, internal)
RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.fintrans_summary_combine(internal, internal) IS
  'Internal: adds the state of another process.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_summary_serialize(internal)
RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.fintrans_summary_serialize(internal) IS
  'Internal: a state as bytes, for another process.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_summary_deserialize(bytea, internal)
RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.fintrans_summary_deserialize(bytea, internal) IS
  'Internal: a state from the bytes of another process.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_summary_final(internal)
RETURNS @extschema@.fintrans_summary
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.fintrans_summary_final(internal) IS
  'Internal: the summary of a state.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_summary_enter(internal, numeric)
RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.fintrans_summary_enter(internal, numeric) IS
  'Internal: adds an amount to a moving state of fintrans_summary().';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_summary_leave(internal, numeric)
RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.fintrans_summary_leave(internal, numeric) IS
  'Internal: takes the oldest amount away from a moving state of fintrans_summary().';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_summary_moving_final(internal)
RETURNS @extschema@.fintrans_summary
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.fintrans_summary_moving_final(internal) IS
  'Internal: the summary of a moving state.';

CREATE OR REPLACE AGGREGATE @extschema@.fintrans_summary(amount numeric) (
  SFUNC = @extschema@.fintrans_summary_add,
  STYPE = internal,
  SSPACE = 256,
  FINALFUNC = @extschema@.fintrans_summary_final,
  COMBINEFUNC = @extschema@.fintrans_summary_combine,
  SERIALFUNC = @extschema@.fintrans_summary_serialize,
  DESERIALFUNC = @extschema@.fintrans_summary_deserialize,
  MSFUNC = @extschema@.fintrans_summary_enter,
  MINVFUNC = @extschema@.fintrans_summary_leave,
  MSTYPE = internal,
  MSSPACE = 2048,
  MFINALFUNC = @extschema@.fintrans_summary_moving_final,
  PARALLEL = SAFE
);

COMMENT ON AGGREGATE @extschema@.fintrans_summary(numeric) IS
  'The summary of amounts: exact, in any order and with any number of parallel workers the same. NULLs are skipped; NULL if there are no others. As a window function it follows a moving frame without summing it up anew.';

CREATE OR REPLACE AGGREGATE @extschema@.fintrans_rollup(summary @extschema@.fintrans_summary) (
  SFUNC = @extschema@.fintrans_rollup_add,
  STYPE = internal,
  SSPACE = 256,
  FINALFUNC = @extschema@.fintrans_summary_final,
  COMBINEFUNC = @extschema@.fintrans_summary_combine,
  SERIALFUNC = @extschema@.fintrans_summary_serialize,
  DESERIALFUNC = @extschema@.fintrans_summary_deserialize,
  PARALLEL = SAFE
);

COMMENT ON AGGREGATE @extschema@.fintrans_rollup(@extschema@.fintrans_summary) IS
  'The summary of all amounts that the summaries are of: the same as fintrans_summary() of these. NULLs are skipped; NULL if there are no others.';
