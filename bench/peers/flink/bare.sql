INSERT INTO stored SELECT * FROM messages;
