/*
 * This script is composed of the .sql files of extension/, in the order the
 * Makefile has: the tables first, then all else, whose statements can be
 * repeated and so serve updates from older versions too.
 *
 * Every object is created in the schema chosen at CREATE EXTENSION.  SQL
 * functions have bodies parsed here (BEGIN ATOMIC), so no later search_path
 * reaches them; PL/pgSQL ones pin theirs.  Partitions of
 * fintrans_transactions are made at run time and are no members of the
 * extension: pg_dump then restores their rows before their triggers exist,
 * and no total is counted twice.
 */

-- complain if script is sourced in psql
\echo Use "CREATE EXTENSION fintrans" or "ALTER EXTENSION fintrans UPDATE" to load this file. \quit

-- All of this is parsed, here or when it runs, without the extension's schema
-- in search_path: others may be allowed to create things there, and a function
-- or operator of theirs whose argument types fit exactly would be preferred to
-- PostgreSQL's own.
SET LOCAL search_path = pg_catalog, pg_temp;
