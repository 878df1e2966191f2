-- fintrans_suspects(): the pairs whose total is above a threshold.

CREATE OR REPLACE FUNCTION @extschema@.fintrans_suspects(threshold numeric)
RETURNS TABLE (source_account text, target_account text, total numeric,
               transactions bigint, first_time timestamptz,
               last_time timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000
BEGIN ATOMIC
  SELECT l.source_account, l.target_account, l.total, l.transactions,
         l.first_time, l.last_time
    FROM @extschema@.fintrans_laundering l
   WHERE l.magnitude > 0
     AND l.magnitude >= @extschema@.fintrans_magnitude_above(threshold)
     AND l.total > threshold
  UNION ALL
  -- not even begun when the threshold is above the first ceiling
  SELECT l.source_account, l.target_account, l.total, l.transactions,
         l.first_time, l.last_time
    FROM @extschema@.fintrans_laundering l
   WHERE l.magnitude = 0
     AND @extschema@.fintrans_magnitude_above(threshold) = 0
     AND l.total > threshold
   ORDER BY total DESC, source_account, target_account;
END;

COMMENT ON FUNCTION @extschema@.fintrans_suspects(numeric) IS
  'The pairs whose total is strictly above the threshold, largest first.';
