EXECUTE STATEMENT SET BEGIN
INSERT INTO stored SELECT * FROM messages; 
INSERT INTO pairs SELECT source, target, SUM(CAST(amount AS BIGINT)), COUNT(*) FROM messages GROUP BY source, target; 
END;
