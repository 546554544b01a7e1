-- SPDX-License-Identifier: ISC
--
-- The centre of a site, in PostgreSQL 13 or later: rules, changes, what hosts share of history, and the record of all
-- hosts (pgpgate-site(7)). `pgpgate site init` runs it in one transaction, and once more when a newer version comes:
-- so it may be run again, and columns are only ever added.
--
-- Times are seconds since 1970 (_unix), as on the hosts. Addresses as keys are written as there, too: domain first.
-- A host reaches all of it through functions, which run with the rights of the schema's owner.

CREATE SCHEMA IF NOT EXISTS pgpgate;

SET LOCAL search_path = pgpgate;

CREATE TABLE IF NOT EXISTS site (
	id integer PRIMARY KEY CHECK (id = 1),  -- one row; whoever changes rules has it locked
	version integer NOT NULL,               -- of this schema
	site_id uuid NOT NULL DEFAULT gen_random_uuid(),
	no bigint NOT NULL,                     -- of the last change
	mark uuid NOT NULL,                     -- of the last change
	next_rule bigint NOT NULL,              -- id of the next new rule
	paused_until_unix bigint NOT NULL,      -- 0: not paused
	hash_check text,                        -- of the key of hashed addresses; NULL: none
	hash_key text,                          -- hex; NULL: none
	verdict_retention_s bigint NOT NULL     -- 0: for ever
);

CREATE TABLE IF NOT EXISTS feed_counter (
	id integer PRIMARY KEY CHECK (id = 1),  -- one row; whoever adds to the feed has it locked
	no bigint NOT NULL
);

CREATE TABLE IF NOT EXISTS rule (
	id bigint PRIMARY KEY,
	recipient text NOT NULL,
	sender text NOT NULL,                   -- '': any
	client text NOT NULL,                   -- '': any
	text text NOT NULL,                     -- as `pgpgate import` reads it
	author text NOT NULL,
	created_at_unix bigint NOT NULL,
	UNIQUE (recipient, sender, client)
);

CREATE TABLE IF NOT EXISTS change (
	no bigint PRIMARY KEY,                  -- in the order of commits
	mark uuid NOT NULL,                     -- tells it from another one of that number
	time_unix bigint NOT NULL,
	author text NOT NULL,
	what text NOT NULL,
	owner text,                             -- of an import; NULL: none
	undoes bigint,                          -- number of the change that it took back; NULL: none
	host_id uuid,                           -- where it was typed
	n_rows bigint NOT NULL,
	detail jsonb NOT NULL                   -- of what is no rule
);

CREATE TABLE IF NOT EXISTS change_row (
	no bigint NOT NULL,
	position bigint NOT NULL,
	recipient text NOT NULL,
	sender text NOT NULL,
	client text NOT NULL,
	text text NOT NULL,                     -- the rule from now on, or the one that is gone
	is_removal boolean NOT NULL,
	rule_id bigint NOT NULL,
	author text NOT NULL,
	created_at_unix bigint NOT NULL,
	PRIMARY KEY (no, position)
);

CREATE TABLE IF NOT EXISTS host (
	host_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	name text NOT NULL UNIQUE,
	boot text NOT NULL DEFAULT '',          -- which machine and database holds the lease
	lease_until timestamptz NOT NULL DEFAULT now(),
	version text NOT NULL DEFAULT '',
	joined_at timestamptz NOT NULL DEFAULT now(),
	last_seen timestamptz,
	rules_no bigint NOT NULL DEFAULT 0,
	feed_no bigint NOT NULL DEFAULT 0,
	pushed_no bigint NOT NULL DEFAULT 0,    -- its rows up to here are in the table verdict
	waiting bigint NOT NULL DEFAULT 0,      -- its rows that are not, as it said last
	oldest_unix bigint NOT NULL DEFAULT 0,  -- time of the oldest of them; 0: none
	offset_ms bigint NOT NULL DEFAULT 0,    -- its clock less ours
	here text NOT NULL DEFAULT ''           -- what holds there alone
);

-- What other hosts ask of history: one row for each thing, numbered anew when it changes.
CREATE TABLE IF NOT EXISTS feed (
	no bigint PRIMARY KEY,
	host_id uuid NOT NULL,
	kind text NOT NULL,                     -- pair, window, bounce, split, count
	a text NOT NULL,
	b text NOT NULL,                        -- count: the host's alias
	c text NOT NULL,                        -- count: the day, UTC, since 1970
	x bigint NOT NULL,                      -- pair: first; split: bit 0 passed, 1 yields, 2 over; count: bounces
	y bigint NOT NULL,                      -- time of the last message
	UNIQUE (kind, a, b, c)
);

CREATE TABLE IF NOT EXISTS tombstone (
	a text NOT NULL,
	b text NOT NULL,
	time_unix bigint NOT NULL,              -- what a pair did until then does not count
	PRIMARY KEY (a, b)
);

CREATE TABLE IF NOT EXISTS verdict (
	host_id uuid NOT NULL,
	no bigint NOT NULL,                     -- its number on that host
	time_unix bigint NOT NULL,
	queue_id text NOT NULL,
	host text NOT NULL,
	client text NOT NULL,
	authenticated text NOT NULL,
	sender_key text NOT NULL,
	header_from_key text,
	is_local boolean NOT NULL,
	message_id text NOT NULL,
	declared_size_bytes bigint,
	size_bytes bigint NOT NULL,
	verdict text NOT NULL,
	form text NOT NULL,
	reason text NOT NULL,
	detail text NOT NULL,
	cleartext_bytes bigint NOT NULL,
	returns_readable boolean NOT NULL,
	action text NOT NULL,
	would text NOT NULL,
	reply text NOT NULL,
	recipients jsonb NOT NULL,              -- [key, trustworthy, requirement, demand, source, rule, passes] each
	PRIMARY KEY (host_id, no, time_unix)
) PARTITION BY RANGE (time_unix);

CREATE INDEX IF NOT EXISTS verdict_by_time ON verdict (time_unix);
CREATE INDEX IF NOT EXISTS verdict_by_queue_id ON verdict (queue_id);

-- Version 2.

ALTER TABLE host ADD COLUMN IF NOT EXISTS is_gone boolean NOT NULL DEFAULT false; -- left, was forgotten, or has another id
-- Those that left a centre of version 1, which only gave them another name; no host's own has a blank.
UPDATE host SET is_gone = true WHERE name LIKE '% until %' AND NOT is_gone;
ALTER TABLE host ADD COLUMN IF NOT EXISTS renewed_as uuid;                        -- that one; NULL: none
ALTER TABLE host ADD COLUMN IF NOT EXISTS verdict_retention_s bigint;             -- its settings; NULL: it does not say
ALTER TABLE host ADD COLUMN IF NOT EXISTS pair_retention_s bigint;
-- A copy of a host is known by an older mark than the newest that the host was given: pull() gives another one each minute.
ALTER TABLE host ADD COLUMN IF NOT EXISTS incarnation bigint NOT NULL DEFAULT 0;  -- how many were given
ALTER TABLE host ADD COLUMN IF NOT EXISTS incarnation_mark text;                  -- the newest
ALTER TABLE host ADD COLUMN IF NOT EXISTS incarnation_before text;                -- the one before: the answer may be lost
ALTER TABLE host ADD COLUMN IF NOT EXISTS incarnation_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE host ADD COLUMN IF NOT EXISTS true_seen timestamptz;                  -- who has the newest; NULL: never
ALTER TABLE host ADD COLUMN IF NOT EXISTS is_behind boolean NOT NULL DEFAULT false; -- who holds the lease has an older one
ALTER TABLE host ADD COLUMN IF NOT EXISTS is_copy boolean NOT NULL DEFAULT false; -- it goes back to one that had
ALTER TABLE verdict ADD COLUMN IF NOT EXISTS key_ids text;
ALTER TABLE tombstone ADD COLUMN IF NOT EXISTS no bigint NOT NULL DEFAULT 9223372036854775807; -- of its change

-- Counts stood under hosts' ids, and were added to those under the alias. Hosts read the feed anew, without what they had.
ALTER TABLE feed_counter ADD COLUMN IF NOT EXISTS has_aliases boolean NOT NULL DEFAULT false; -- it had ids once
UPDATE feed_counter SET has_aliases = true
WHERE EXISTS (SELECT 1 FROM feed WHERE kind = 'count' AND b IN (SELECT host_id::text FROM host));
UPDATE feed AS f
SET x = greatest(f.x, o.x), y = greatest(f.y, o.y)
FROM feed AS o
WHERE f.kind = 'count' AND o.kind = 'count' AND o.b IN (SELECT host_id::text FROM host)
	AND f.a = o.a AND f.b = md5(o.b)::uuid::text AND f.c = o.c;
DELETE FROM feed AS o
WHERE kind = 'count' AND b IN (SELECT host_id::text FROM host)
	AND EXISTS (SELECT 1 FROM feed AS f WHERE f.kind = 'count' AND f.a = o.a AND f.b = md5(o.b)::uuid::text AND f.c = o.c);
UPDATE feed SET b = md5(b)::uuid::text WHERE kind = 'count' AND b IN (SELECT host_id::text FROM host);

-- Keys of recipients, their certificates, groups: what db/rules/keys.c keeps on each host.
CREATE TABLE IF NOT EXISTS key_row (
	kind text NOT NULL,                     -- key, certificate, group
	a text NOT NULL,                        -- pattern, or a certificate's fingerprint
	b text NOT NULL,                        -- a key's fingerprint
	data jsonb NOT NULL,
	PRIMARY KEY (kind, a, b)
);

-- Verdicts that name a person who is forgotten, to be looked through in steps: sweep().
CREATE TABLE IF NOT EXISTS removal (
	host_id uuid NOT NULL,                  -- whose rows
	address text NOT NULL,
	forms text[] NOT NULL,                  -- of the key
	after_no bigint NOT NULL,               -- rows up to here have been looked at
	PRIMARY KEY (host_id, address)
);

-- ---- for people ----

CREATE OR REPLACE VIEW hosts AS
SELECT name, version, last_seen, extract(epoch FROM now() - last_seen)::bigint AS silent_s, rules_no,
	(SELECT no FROM site) - rules_no AS rules_behind, waiting, oldest_unix, offset_ms, here, is_gone
FROM host;

CREATE OR REPLACE VIEW verdicts AS
SELECT h.name AS mx, v.no, to_timestamp(v.time_unix) AS time, v.queue_id, v.client, v.authenticated, v.sender_key,
	v.header_from_key, v.is_local, v.message_id, v.size_bytes, v.verdict, v.form, v.reason, v.detail, v.action,
	v.would, v.reply, v.recipients, v.key_ids
FROM verdict AS v
LEFT JOIN host AS h ON h.host_id = v.host_id;

CREATE OR REPLACE VIEW refusals_by_day AS
SELECT to_timestamp(v.time_unix)::date AS day, h.name AS mx, v.reason, count(*) AS n
FROM verdict AS v
LEFT JOIN host AS h ON h.host_id = v.host_id
WHERE v.action = 'refuse'
GROUP BY 1, 2, 3;

-- ---- for hosts ----

-- Which server this is, started when, and which table: a host that sees another one reads the feed from its beginning.
CREATE OR REPLACE FUNCTION started() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$
	SELECT extract(epoch FROM pg_postmaster_start_time())::text || coalesce(' ' || host(inet_server_addr()), '')
		|| ' ' || 'feed'::regclass::oid || CASE WHEN has_aliases THEN ' aliases' ELSE '' END
	FROM feed_counter
$$;

-- An id is known to its host and the centre alone: what others see in its place. Without a search_path of its own, which
-- would keep it from being part of the query: a page of the record asks for it by the thousand.
CREATE OR REPLACE FUNCTION alias(a_host uuid) RETURNS uuid
LANGUAGE sql IMMUTABLE
AS $$ SELECT pg_catalog.md5(a_host::pg_catalog.text)::pg_catalog.uuid $$;

-- Whether it comes with the newest mark that this host was given, or a newer one, which a centre that was put back does not know.
CREATE OR REPLACE FUNCTION is_newest(h host, a_incarnation bigint, a_mark text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pgpgate, pg_temp
AS $$
	SELECT a_incarnation IS NOT NULL AND (h.incarnation = 0 OR a_incarnation > h.incarnation
		OR coalesce(a_incarnation = h.incarnation AND a_mark = h.incarnation_mark, false)
		OR coalesce(a_incarnation = h.incarnation - 1 AND a_mark = h.incarnation_before, false))
$$;

-- What cannot be told from a copy of a host: another machine, or the same one after it was started anew, and no newest mark. Until
-- the host was silent for longer than a restart takes. NULL, or why not.
CREATE OR REPLACE FUNCTION refuse_copy(h host, a_boot text) RETURNS text
LANGUAGE sql STABLE SET search_path = pgpgate, pg_temp
AS $$
	SELECT 'this is an older copy of ' || h.name || ' (a clone, or a backup that was put back), which was heard '
		|| extract(epoch FROM now() - h.last_seen)::bigint || ' s ago: it is let in after ten minutes of silence'
	WHERE split_part(h.boot, ':', 1) <> split_part(a_boot, ':', 1) AND h.last_seen > now() - interval '10 minutes'
$$;

-- A host that has another id since. With the newest mark of this one: what goes back to an older copy gives the name back, for a
-- day. Else it is a backup that was put back once more: what followed on it ends, unless it lives, or was forgotten. NULL: it is
-- a host again, or why not.
CREATE OR REPLACE FUNCTION revive(a_host uuid, a_boot text, a_is_newest boolean) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$
DECLARE
	last host%ROWTYPE;
	next uuid := a_host;
	is_true boolean;
	refused text;
BEGIN
	WHILE next IS NOT NULL LOOP
		SELECT * INTO last FROM host WHERE host_id = next FOR UPDATE;
		next := last.renewed_as;
	END LOOP;
	IF last.host_id IS NULL OR last.is_gone THEN
		RETURN 'this host does not belong to the site (any more): `pgpgate site leave`, then `pgpgate site join`';
	END IF;
	SELECT a_is_newest AND last.is_copy AND coalesce(true_seen > now() - interval '1 day', false)
	INTO is_true
	FROM host
	WHERE host_id = a_host;
	IF NOT is_true THEN
		IF last.boot <> a_boot AND last.lease_until > now() THEN
			RETURN 'another machine or database calls itself ' || last.name || ': has this one been cloned';
		END IF;
		refused := refuse_copy(last, a_boot);
		IF refused IS NOT NULL THEN
			RETURN refused;
		END IF;
	END IF;
	UPDATE host
	SET name = name || ' until ' || clock_timestamp()::text, lease_until = now(), is_gone = true, renewed_as = a_host
	WHERE host_id = last.host_id;
	UPDATE host
	SET name = last.name, lease_until = now(), is_gone = false, renewed_as = NULL, is_copy = NOT is_true, boot = a_boot
	WHERE host_id = a_host;
	RETURN NULL;
END
$$;

DROP FUNCTION IF EXISTS revive(uuid, text);

-- The lease of a host's name: one machine, one database. Another one is refused while it lasts, unless it has the newest mark, and
-- who holds it has not. a_incarnation NULL: it says nothing of a mark.
CREATE OR REPLACE FUNCTION hold(a_host uuid, a_boot text, a_incarnation bigint, a_mark text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$
DECLARE
	h host%ROWTYPE;
	newest boolean;
	refused text;
BEGIN
	SELECT * INTO h FROM host WHERE host_id = a_host FOR UPDATE;
	newest := is_newest(h, a_incarnation, a_mark);
	IF FOUND AND h.is_gone AND h.renewed_as IS NOT NULL THEN
		refused := revive(a_host, a_boot, newest);
		IF refused IS NOT NULL THEN
			RETURN refused;
		END IF;
		SELECT * INTO h FROM host WHERE host_id = a_host;
	END IF;
	IF h.host_id IS NULL OR h.is_gone THEN
		RETURN 'this host does not belong to the site (any more): `pgpgate site leave`, then `pgpgate site join`';
	END IF;
	IF h.boot <> a_boot AND NOT (newest AND h.is_behind) THEN
		IF h.lease_until > now() THEN
			RETURN 'another machine or database calls itself ' || h.name || ': has this one been cloned';
		END IF;
		IF NOT newest AND h.incarnation > 0 THEN
			refused := refuse_copy(h, a_boot);
			IF refused IS NOT NULL THEN
				RETURN refused;
			END IF;
		END IF;
	END IF;
	UPDATE host
	SET boot = a_boot, lease_until = now() + interval '15 seconds',
		is_behind = CASE WHEN a_incarnation IS NULL THEN is_behind ELSE NOT newest END,
		true_seen = CASE WHEN newest THEN now() ELSE true_seen END
	WHERE host_id = a_host;
	RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION lease(a_host uuid, a_boot text) RETURNS text
LANGUAGE sql SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$ SELECT hold(a_host, a_boot, NULL, NULL) $$;

CREATE OR REPLACE FUNCTION register(a_name text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$
DECLARE
	mine uuid;
BEGIN
	IF a_name !~ '^[A-Za-z0-9._-]{1,63}$' OR a_name IS NULL THEN
		RETURN jsonb_build_object('error', 'that is no name for a host: up to 63 letters, digits, dots, - or _');
	END IF;
	INSERT INTO host (name) VALUES (a_name) RETURNING host_id INTO mine;
	RETURN (SELECT jsonb_build_object('host', mine, 'site', site_id, 'hash_check', hash_check, 'hash_key', hash_key)
		FROM site);
EXCEPTION WHEN unique_violation THEN
	RETURN jsonb_build_object('error', 'the site has a host ' || a_name || ' already; `pgpgate site forget ' || a_name ||
		'`, if it is gone, or set host_name');
END
$$;

-- Only who holds the lease, or could take it: ids of others are no secret (feed, verdict).
CREATE OR REPLACE FUNCTION unregister(a_host uuid, a_boot text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$
DECLARE
	refused text := lease(a_host, a_boot);
BEGIN
	IF refused IS NOT NULL THEN
		RAISE EXCEPTION '%', refused;
	END IF;
	UPDATE host SET name = name || ' until ' || now()::text, lease_until = now(), is_gone = true WHERE host_id = a_host;
END
$$;

-- Of a host that joined and was not heard yet. One of version 1 that is told of a lease is to be forgotten, or waits it out.
CREATE OR REPLACE FUNCTION unregister(a_host uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$
BEGIN
	PERFORM unregister(a_host, '');
END
$$;

-- What is numbered anew there since a_kept, as after a backup was put back: the same host under another id, so that its rows are
-- told from those that had the numbers. Asked again, since the answer was lost: the same id.
CREATE OR REPLACE FUNCTION renew(a_host uuid, a_boot text, a_kept bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$
DECLARE
	h host%ROWTYPE;
	refused text;
	mine uuid;
BEGIN
	SELECT * INTO h FROM host WHERE host_id = a_host FOR UPDATE;
	IF FOUND AND h.renewed_as IS NOT NULL AND h.boot = a_boot THEN
		RETURN jsonb_build_object('host', h.renewed_as);
	END IF;
	refused := lease(a_host, a_boot);
	IF refused IS NOT NULL THEN
		RETURN jsonb_build_object('error', refused);
	END IF;
	UPDATE host SET name = name || ' until ' || now()::text, lease_until = now(), is_gone = true WHERE host_id = a_host;
	INSERT INTO host (name, boot, lease_until, version, last_seen, rules_no, pushed_no, verdict_retention_s,
		pair_retention_s, is_copy)
	VALUES (h.name, a_boot, now() + interval '15 seconds', h.version, now(), h.rules_no, a_kept, h.verdict_retention_s,
		h.pair_retention_s, h.is_copy OR h.is_behind)
	RETURNING host_id INTO mine;
	UPDATE host SET renewed_as = mine WHERE host_id = a_host;
	RETURN jsonb_build_object('host', mine);
END
$$;

-- A step over verdicts of a host for a person who is forgotten. Whether there may be more.
CREATE OR REPLACE FUNCTION sweep(a_rows integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$
DECLARE
	r removal%ROWTYPE;
	to_no bigint;
BEGIN
	SELECT * INTO r FROM removal ORDER BY host_id, address LIMIT 1 FOR UPDATE SKIP LOCKED;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	SELECT max(v.no)
	INTO to_no
	FROM (
		SELECT no
		FROM verdict
		WHERE host_id = r.host_id AND no > r.after_no
		ORDER BY no
		LIMIT greatest(1, least(a_rows, 20000))) AS v;
	IF to_no IS NULL THEN
		DELETE FROM removal WHERE host_id = r.host_id AND address = r.address;
		RETURN true;
	END IF;
	DELETE FROM verdict AS v
	WHERE v.host_id = r.host_id AND v.no > r.after_no AND v.no <= to_no
		AND (v.sender_key = ANY (r.forms)
			OR (EXISTS (SELECT 1 FROM jsonb_array_elements(v.recipients) AS e WHERE e ->> 0 = ANY (r.forms))
				AND NOT EXISTS (SELECT 1 FROM jsonb_array_elements(v.recipients) AS e WHERE e ->> 0 <> ALL (r.forms))));
	UPDATE verdict AS v
	SET reply = '',
		key_ids = NULL,
		recipients = (
			SELECT coalesce(jsonb_agg(e), '[]')
			FROM jsonb_array_elements(v.recipients) AS e
			WHERE e ->> 0 <> ALL (r.forms))
	WHERE v.host_id = r.host_id AND v.no > r.after_no AND v.no <= to_no
		AND EXISTS (SELECT 1 FROM jsonb_array_elements(v.recipients) AS e WHERE e ->> 0 = ANY (r.forms));
	UPDATE verdict AS v
	SET header_from_key = NULL
	WHERE v.host_id = r.host_id AND v.no > r.after_no AND v.no <= to_no AND v.header_from_key = ANY (r.forms);
	UPDATE removal SET after_no = to_no WHERE host_id = r.host_id AND address = r.address;
	RETURN true;
END
$$;

-- What the centre has of a person, under the forms of the key, goes; verdicts of a_host, or of all, in steps.
CREATE OR REPLACE FUNCTION person_remove(a_address text, a_keys text[], a_host uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$
DECLARE
	word text := '(^|[ ="])' || regexp_replace(a_address, '([].*+?^${}()|\\[])', '\\\1', 'g') || '($|[ ="])';
BEGIN
	INSERT INTO removal (host_id, address, forms, after_no)
	SELECT host_id, a_address, a_keys, 0
	FROM host
	WHERE a_host IS NULL OR host_id = a_host
	ON CONFLICT (host_id, address) DO UPDATE SET after_no = 0, forms = excluded.forms;
	-- The sender of a split stands with its client.
	DELETE FROM feed WHERE split_part(a, ' ', 1) = ANY (a_keys) OR b = ANY (a_keys);
	DELETE FROM tombstone WHERE a = ANY (a_keys) OR b = ANY (a_keys);
	DELETE FROM rule WHERE recipient = a_address OR sender = a_address;
	DELETE FROM key_row WHERE kind IN ('key', 'group') AND a = a_address;
	-- As on the hosts: the others of a group stay in it.
	UPDATE key_row
	SET data = jsonb_set(data, '{1}', (data -> 1) - a_address)
	WHERE kind = 'group' AND data -> 1 ? a_address;
	DELETE FROM key_row WHERE kind = 'group' AND data -> 1 = '[]';
	DELETE FROM key_row AS c
	WHERE c.kind = 'certificate'
		AND NOT EXISTS (SELECT 1 FROM key_row AS k WHERE k.kind = 'key' AND k.data ->> 0 = c.a);
	-- A host that is before such a change finds a row missing, and takes a snapshot.
	DELETE FROM change_row WHERE recipient = a_address OR sender = a_address OR text ~ word;
	-- Nor does a certificate of before keep a user id of theirs; how it is now was handed over with the change.
	DELETE FROM change_row
	WHERE CASE WHEN text ~ '^\["certificate","[0-9A-F]*","","([0-9A-F][0-9A-F])*"\]$'
		THEN position(encode(convert_to(a_address, 'UTF8'), 'escape')
			IN lower(encode(decode(split_part(text, '"', 8), 'hex'), 'escape'))) > 0
		ELSE false END;
	UPDATE change SET detail = detail - 'before' - 'after' - 'keys'
	WHERE detail ? 'keys'
		AND (detail #>> '{keys,0,0}' = ANY (a_keys) OR detail #>> '{keys,0,1}' = ANY (a_keys)
			OR detail #>> '{keys,1,0}' = ANY (a_keys) OR detail #>> '{keys,1,1}' = ANY (a_keys));
END
$$;

DROP FUNCTION IF EXISTS person_remove(text, text[]);
DROP FUNCTION IF EXISTS person_settle(bigint, bigint);

-- A host has come from one change to another. What it pushed before it knew that a person is forgotten goes, and
-- once all know, who it was.
CREATE OR REPLACE FUNCTION person_settle(a_host uuid, a_from bigint, a_to bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$
DECLARE
	c change%ROWTYPE;
BEGIN
	FOR c IN SELECT * FROM change WHERE no > a_from AND no <= a_to AND detail ? 'person' ORDER BY no LOOP
		PERFORM person_remove(c.detail ->> 'person', ARRAY(SELECT jsonb_array_elements_text(c.detail -> 'forms')), a_host);
	END LOOP;
	UPDATE change
	SET detail = detail - 'person' - 'forms'
	WHERE detail ? 'person' AND no <= (SELECT min(rules_no) FROM host WHERE NOT is_gone);
END
$$;

-- A host says how far it is and gets what comes next.
CREATE OR REPLACE FUNCTION pull(a_host uuid, a_boot text, a jsonb) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pgpgate, pg_temp SET lock_timeout = '4s'
AS $$
DECLARE
	incarnation_is bigint := (a ->> 'incarnation')::bigint;
	mark_is text := left(a ->> 'incarnation_mark', 40);
	refused text := hold(a_host, a_boot, incarnation_is, mark_is);
	s site%ROWTYPE;
	h host%ROWTYPE;
	was bigint;
	mine bigint := (a ->> 'rules_no')::bigint;
	feed_from bigint := (a ->> 'feed_no')::bigint;
	known boolean;
	changes jsonb := '[]';
	items jsonb := '[]';
	feed_to bigint;
BEGIN
	IF refused IS NOT NULL THEN
		RETURN jsonb_build_object('error', refused);
	END IF;
	SELECT rules_no INTO was FROM host WHERE host_id = a_host;
	UPDATE host
	SET last_seen = now(), version = left(a ->> 'version', 40), rules_no = mine, feed_no = feed_from,
		waiting = (a ->> 'waiting')::bigint, oldest_unix = (a ->> 'oldest')::bigint,
		offset_ms = (a ->> 'offset')::bigint, here = regexp_replace(left(a ->> 'here', 1000), '[\u0001-\u001f\u007f-\u009f]', '?', 'g'),
		verdict_retention_s = (a ->> 'verdict_retention')::bigint, pair_retention_s = (a ->> 'pair_retention')::bigint
	WHERE host_id = a_host
	RETURNING * INTO h;
	-- The next mark, unless the last one did not arrive.
	IF NOT h.is_behind AND incarnation_is >= h.incarnation
		AND (h.incarnation = 0 OR incarnation_is > h.incarnation OR h.incarnation_at < now() - interval '1 minute') THEN
		UPDATE host
		SET incarnation = incarnation_is + 1, incarnation_before = mark_is, incarnation_mark = gen_random_uuid()::text,
			incarnation_at = now()
		WHERE host_id = a_host
		RETURNING * INTO h;
	END IF;
	IF was < mine THEN
		PERFORM person_settle(a_host, was, mine);
	END IF;
	SELECT * INTO s FROM site;
	-- Another server, or a feed that is not as long as it was.
	IF a ->> 'started' IS DISTINCT FROM started() OR feed_from > (SELECT no FROM feed_counter) THEN
		feed_from := 0;
	END IF;
	known := EXISTS (SELECT 1 FROM change WHERE no = mine AND mark::text = a ->> 'rules_mark')
		AND s.no - mine < 10000;
	IF known AND s.no > mine THEN
		SELECT coalesce(jsonb_agg(jsonb_build_object('no', c.no, 'mark', c.mark, 'time', c.time_unix, 'author', c.author,
			'what', c.what, 'owner', c.owner, 'undoes', c.undoes, 'n_rows', c.n_rows, 'detail', c.detail)
			ORDER BY c.no), '[]')
		INTO changes
		FROM (SELECT * FROM change WHERE no > mine ORDER BY no LIMIT 200) AS c;
	END IF;
	SELECT coalesce(jsonb_agg(jsonb_build_array(f.kind, f.a, f.b, f.c, f.x, f.y) ORDER BY f.no)
			FILTER (WHERE f.host_id <> a_host OR (feed_from = 0 AND f.kind <> 'count')), '[]'), max(f.no)
	INTO items, feed_to
	-- After the changes: a tombstone that comes later would take what was seen since.
	FROM (SELECT * FROM feed WHERE no > feed_from AND NOT (known AND s.no - mine > 200) ORDER BY no LIMIT 2000) AS f;
	RETURN jsonb_build_object('site', s.site_id, 'version', s.version, 'started', started(), 'no', s.no, 'mark', s.mark,
		'snapshot', NOT known, 'changes', changes, 'feed', items, 'feed_no', coalesce(feed_to, feed_from),
		'pushed', h.pushed_no, 'now_ms', (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
		'hash_check', s.hash_check, 'incarnation', CASE WHEN NOT h.is_behind THEN h.incarnation END,
		'incarnation_mark', CASE WHEN NOT h.is_behind THEN h.incarnation_mark END,
		'sweep', EXISTS (SELECT 1 FROM removal));
END
$$;

CREATE OR REPLACE FUNCTION change_rows(a_no bigint, a_after bigint, a_limit integer) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$
	SELECT coalesce(jsonb_agg(jsonb_build_array(position, text, is_removal, rule_id, author, created_at_unix)
		ORDER BY position), '[]')
	FROM (SELECT * FROM change_row WHERE no = a_no AND position > a_after ORDER BY position LIMIT a_limit) AS r
$$;

CREATE OR REPLACE FUNCTION snapshot_head() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$ SELECT jsonb_build_object('no', no, 'mark', mark, 'paused', paused_until_unix) FROM site $$;

CREATE OR REPLACE FUNCTION snapshot_rows(a_after bigint, a_limit integer) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$
	SELECT coalesce(jsonb_agg(jsonb_build_array(id, text, false, id, author, created_at_unix) ORDER BY id), '[]')
	FROM (SELECT * FROM rule WHERE id > a_after ORDER BY id LIMIT a_limit) AS r
$$;

-- What a snapshot brings beside rules: pairs that were forgotten, people who are to be, from a change on.
CREATE OR REPLACE FUNCTION snapshot_forgotten(a_after_a text, a_after_b text, a_limit integer) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$
	SELECT coalesce(jsonb_agg(jsonb_build_array(a, b, time_unix) ORDER BY a COLLATE "C", b COLLATE "C"), '[]')
	FROM (
		SELECT *
		FROM tombstone
		WHERE (a COLLATE "C", b COLLATE "C") > (a_after_a, a_after_b)
		ORDER BY a COLLATE "C", b COLLATE "C"
		LIMIT a_limit) AS t
$$;

CREATE OR REPLACE FUNCTION snapshot_people() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$ SELECT coalesce(jsonb_agg(detail -> 'person' ORDER BY no), '[]') FROM change WHERE detail ? 'person' $$;

CREATE OR REPLACE FUNCTION snapshot_keys(a_kind text, a_a text, a_b text, a_limit integer) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$
	SELECT coalesce(jsonb_agg(jsonb_build_array(kind, a, b, data)
		ORDER BY kind COLLATE "C", a COLLATE "C", b COLLATE "C"), '[]')
	FROM (
		SELECT *
		FROM key_row
		WHERE (kind COLLATE "C", a COLLATE "C", b COLLATE "C") > (a_kind, a_a, a_b)
		ORDER BY kind COLLATE "C", a COLLATE "C", b COLLATE "C"
		LIMIT a_limit) AS r
$$;

-- The last changes, to tell which of a host's are the site's.
CREATE OR REPLACE FUNCTION change_heads(a_limit integer) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$
	SELECT coalesce(jsonb_agg(jsonb_build_array(no, time_unix, author, what)), '[]')
	FROM (SELECT * FROM change ORDER BY no DESC LIMIT a_limit) AS c
$$;

-- Verdicts of all hosts, for `--site`: from after (time, alias of the host, number); with a_queue_id, only those.
CREATE OR REPLACE FUNCTION verdict_page(a_since bigint, a_until bigint, a_queue_id text, a_time bigint, a_host uuid,
	a_no bigint, a_limit integer) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$
	SELECT coalesce(jsonb_agg(jsonb_build_array(alias(v.host_id), v.no, v.time_unix, v.queue_id, coalesce(h.name, ''), v.client,
		v.authenticated, v.sender_key, v.header_from_key, v.is_local::int, v.message_id, v.declared_size_bytes,
		v.size_bytes, v.verdict, v.form, v.reason, v.detail, v.cleartext_bytes, v.returns_readable::int, v.action,
		v.would, v.reply, v.key_ids, v.recipients) ORDER BY v.time_unix, alias(v.host_id), v.no), '[]')
	FROM (
		SELECT *
		FROM verdict
		WHERE time_unix >= a_since AND time_unix >= a_time AND time_unix < a_until
			AND (time_unix, alias(host_id), no) > (a_time, a_host, a_no)
			AND (a_queue_id IS NULL OR queue_id = a_queue_id)
		ORDER BY time_unix, alias(host_id), no
		LIMIT a_limit) AS v
	LEFT JOIN host AS h ON h.host_id = v.host_id
$$;

-- What doctor looks at.
CREATE OR REPLACE FUNCTION examine() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$ SELECT jsonb_build_object('version', version, 'no', no, 'hash_check', hash_check) FROM site $$;

-- It waits for whoever reads the table, and who comes after waits for it: so not for long.
CREATE OR REPLACE FUNCTION make_partition(a_unix bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pgpgate, pg_temp SET lock_timeout = '2s'
AS $$
DECLARE
	month timestamp := date_trunc('month', to_timestamp(a_unix) AT TIME ZONE 'UTC');
	name text := 'verdict_' || to_char(month, 'YYYY_MM');
BEGIN
	IF to_regclass('pgpgate.' || name) IS NOT NULL THEN
		RETURN;
	END IF;
	-- One at a time. An advisory lock anybody could hold.
	PERFORM 1 FROM feed_counter FOR UPDATE;
	IF to_regclass('pgpgate.' || name) IS NULL THEN
		EXECUTE format('CREATE TABLE pgpgate.%I PARTITION OF pgpgate.verdict FOR VALUES FROM (%s) TO (%s)', name,
			extract(epoch FROM month AT TIME ZONE 'UTC')::bigint,
			extract(epoch FROM (month + interval '1 month') AT TIME ZONE 'UTC')::bigint);
	END IF;
END
$$;

-- A host's rows, what they changed of what others ask, and how far it is now: one transaction.
CREATE OR REPLACE FUNCTION push(a_host uuid, a_boot text, a_to bigint, a_rows jsonb, a_feed jsonb, a_retracted jsonb) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pgpgate, pg_temp SET lock_timeout = '4s'
AS $$
DECLARE
	refused text := lease(a_host, a_boot);
	month bigint;
	n bigint;
	base bigint;
	taken bigint;
	is_older boolean := false;
	has_no bigint;
	lowest bigint;
	highest bigint;
	latest bigint := extract(epoch FROM now())::bigint + 60;
BEGIN
	IF refused IS NOT NULL THEN
		RETURN jsonb_build_object('error', refused);
	END IF;
	IF jsonb_array_length(a_rows) > 0 THEN
		FOR month IN
			SELECT min((r ->> 1)::bigint)
			FROM jsonb_array_elements(a_rows) AS r
			GROUP BY date_trunc('month', to_timestamp((r ->> 1)::bigint) AT TIME ZONE 'UTC')
		LOOP
			PERFORM make_partition(month);
		END LOOP;
		-- A number that has another message already: numbers were given out again, after a backup was put back.
		-- Within the range of the batch: all that the host has would be looked through otherwise, more each time.
		SELECT min((r ->> 0)::bigint), max((r ->> 0)::bigint) INTO lowest, highest FROM jsonb_array_elements(a_rows) AS r;
		SELECT min(v.no) INTO taken
		FROM jsonb_array_elements(a_rows) AS r
		JOIN verdict AS v ON v.host_id = a_host AND v.no = (r ->> 0)::bigint
			AND v.no >= lowest AND v.no <= highest
		WHERE v.time_unix <> (r ->> 1)::bigint OR v.queue_id <> r ->> 2 OR v.sender_key <> r ->> 6;
		-- Nor are numbers after those that are here given by an older copy: the one that it is of may have given them.
		SELECT is_behind, pushed_no INTO is_older, has_no FROM host WHERE host_id = a_host;
		IF is_older AND highest > has_no THEN
			taken := least(taken, greatest(has_no + 1, lowest));
		END IF;
		IF taken IS NOT NULL THEN
			RETURN jsonb_build_object('taken', taken, 'error', 'row ' || taken || ' of this host is another message');
		END IF;
		INSERT INTO verdict (host_id, no, time_unix, queue_id, host, client, authenticated, sender_key, header_from_key,
			is_local, message_id, declared_size_bytes, size_bytes, verdict, form, reason, detail, cleartext_bytes,
			returns_readable, action, would, reply, recipients, key_ids)
		SELECT a_host, (r ->> 0)::bigint, (r ->> 1)::bigint, r ->> 2, r ->> 3, r ->> 4, r ->> 5, r ->> 6, r ->> 7,
			(r ->> 8)::int <> 0, r ->> 9, (r ->> 10)::bigint, (r ->> 11)::bigint, r ->> 12, r ->> 13, r ->> 14,
			r ->> 15, (r ->> 16)::bigint, (r ->> 17)::int <> 0, r ->> 18, r ->> 19, r ->> 20, r -> 21,
			r ->> 22
		FROM jsonb_array_elements(a_rows) AS r
		WHERE NOT is_older -- it was there, and what was removed since stays so
		ON CONFLICT DO NOTHING;
	END IF;
	IF jsonb_array_length(a_retracted) > 0 THEN
		UPDATE verdict AS v
		SET action = r ->> 2, would = r ->> 3, reply = r ->> 4
		FROM jsonb_array_elements(a_retracted) AS r
		WHERE v.host_id = a_host AND v.no = (r ->> 0)::bigint AND v.time_unix = (r ->> 1)::bigint;
	END IF;
	-- What no host can have said is left out: others would have to read it.
	a_feed := (
		SELECT coalesce(jsonb_agg(i.value ORDER BY i.ordinality), '[]')
		FROM jsonb_array_elements(a_feed) WITH ORDINALITY AS i (value, ordinality)
		WHERE i.value ->> 0 IN ('pair', 'window', 'bounce', 'split', 'count')
			AND octet_length(i.value ->> 1) <= 511 AND octet_length(i.value ->> 2) <= 511
			AND octet_length(i.value ->> 3) <= 511);
	IF jsonb_array_length(a_feed) > 0 THEN
		UPDATE feed_counter SET no = no + jsonb_array_length(a_feed) RETURNING no INTO n;
		base := n - jsonb_array_length(a_feed);
		INSERT INTO feed AS f (no, host_id, kind, a, b, c, x, y)
		SELECT base + i.ordinality, a_host, i.value ->> 0, i.value ->> 1,
			CASE WHEN i.value ->> 0 = 'count' THEN alias(a_host)::text ELSE i.value ->> 2 END, i.value ->> 3,
			CASE WHEN i.value ->> 0 = 'pair' THEN least((i.value ->> 4)::bigint, latest)
				ELSE (i.value ->> 4)::bigint END,
			least((i.value ->> 5)::bigint, latest)
		FROM jsonb_array_elements(a_feed) WITH ORDINALITY AS i (value, ordinality)
		WHERE NOT EXISTS (
			SELECT 1
			FROM tombstone AS t
			WHERE i.value ->> 0 = 'pair' AND t.a = i.value ->> 1 AND t.b = i.value ->> 2
				AND (i.value ->> 5)::bigint <= t.time_unix
				-- Who has applied it tells what came after, by whatever clock.
				AND t.no > coalesce((i.value ->> 6)::bigint, 0))
		ON CONFLICT (kind, a, b, c) DO UPDATE
		SET no = excluded.no,
			host_id = excluded.host_id,
			x = CASE f.kind WHEN 'pair' THEN least(f.x, excluded.x) WHEN 'count' THEN greatest(f.x, excluded.x)
				ELSE excluded.x END,
			y = greatest(f.y, excluded.y)
		-- A split that is over stays so, unless the message was split once more since.
		WHERE excluded.y > f.y OR (f.kind = 'pair' AND excluded.x < f.x) OR (f.kind = 'count' AND excluded.x > f.x)
			OR (f.kind = 'split' AND excluded.y = f.y AND excluded.x <> f.x AND f.x & 4 = 0);
		PERFORM pg_notify('pgpgate', 'feed');
	END IF;
	UPDATE host SET pushed_no = greatest(pushed_no, a_to) WHERE host_id = a_host;
	RETURN jsonb_build_object('pushed', a_to);
END
$$;

-- What is too old goes, by the month.
CREATE OR REPLACE FUNCTION maintain() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pgpgate, pg_temp SET lock_timeout = '2s'
AS $$
DECLARE
	now_unix bigint := extract(epoch FROM now())::bigint;
	kept bigint;
	kept_pairs bigint;
	part text;
BEGIN
	-- The longest that a host wants; 0 is for ever.
	SELECT CASE WHEN bool_or(coalesce(verdict_retention_s, s.kept) = 0) THEN 0 ELSE max(coalesce(verdict_retention_s, s.kept)) END,
		CASE WHEN bool_or(coalesce(pair_retention_s, 0) = 0) THEN 0 ELSE max(pair_retention_s) END
	INTO kept, kept_pairs
	FROM host, (SELECT verdict_retention_s AS kept FROM site) AS s
	WHERE NOT is_gone;
	DELETE FROM feed
	WHERE (kind = 'split' AND y < now_unix - 86400)
		OR (kind = 'count' AND y < now_unix - 2 * 86400)
		OR (kind = 'bounce' AND y < now_unix - 8 * 86400)
		OR (kind IN ('pair', 'window') AND kept_pairs > 0 AND y < now_unix - kept_pairs);
	-- For hosts that do not ask for it themselves.
	WHILE clock_timestamp() < now() + interval '1 second' AND sweep(2000) LOOP
	END LOOP;
	-- The next month's before it is wanted. Who reads the record for long holds this up, and it comes again in an hour.
	BEGIN
		PERFORM make_partition(now_unix + 7 * 86400);
	EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
		RETURN;
	END;
	IF kept IS NULL OR kept = 0 THEN
		RETURN;
	END IF;
	FOR part IN
		SELECT c.relname
		FROM pg_inherits AS i
		JOIN pg_class AS c ON c.oid = i.inhrelid
		WHERE i.inhparent = 'pgpgate.verdict'::regclass
			AND c.relname ~ '^verdict_[0-9]{4}_[0-9]{2}$'
			AND extract(epoch FROM (to_date(substr(c.relname, 9), 'YYYY_MM') + interval '1 month')
				AT TIME ZONE 'UTC') < now_unix - kept
	LOOP
		BEGIN
			EXECUTE format('DROP TABLE pgpgate.%I', part);
		EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
			RETURN;
		END;
	END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION hosts_json() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$
	SELECT jsonb_build_object('no', (SELECT no FROM site), 'version', (SELECT version FROM site), 'hosts', coalesce(jsonb_agg(jsonb_build_object('name', name,
		'version', version, 'silent_s', extract(epoch FROM now() - last_seen)::bigint, 'rules_no', rules_no,
		'waiting', waiting, 'oldest', oldest_unix, 'offset_ms', offset_ms, 'here', here) ORDER BY name), '[]'))
	FROM host
	WHERE NOT is_gone
$$;

-- ---- for those who change rules ----

-- One at a time: until the end of the transaction.
CREATE OR REPLACE FUNCTION change_begin() RETURNS jsonb
LANGUAGE sql SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$ SELECT jsonb_build_object('no', no, 'mark', mark, 'next_rule', next_rule) FROM site FOR UPDATE $$;

CREATE OR REPLACE FUNCTION change_add(a_rows jsonb) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$
	INSERT INTO change_row (no, position, recipient, sender, client, text, is_removal, rule_id, author, created_at_unix)
	SELECT (SELECT no + 1 FROM site), (r ->> 0)::bigint, r ->> 1, r ->> 2, r ->> 3, r ->> 4, (r ->> 5)::boolean,
		(r ->> 6)::bigint, r ->> 7, (r ->> 8)::bigint
	FROM jsonb_array_elements(a_rows) AS r
$$;

CREATE OR REPLACE FUNCTION change_commit(a_host uuid, a jsonb) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$
DECLARE
	n bigint := (SELECT no + 1 FROM site);
	m uuid := gen_random_uuid();
	i integer;
BEGIN
	DELETE FROM rule AS r USING change_row AS c
	WHERE c.no = n AND r.recipient = c.recipient AND r.sender = c.sender AND r.client = c.client;
	INSERT INTO rule (id, recipient, sender, client, text, author, created_at_unix)
	SELECT rule_id, recipient, sender, client, text, author, created_at_unix
	FROM change_row
	WHERE no = n AND NOT is_removal AND rule_id > 0;
	-- Rows without a rule are of keys: [kind, a, b, what is kept or null].
	DELETE FROM key_row AS k USING (SELECT text::jsonb AS item FROM change_row WHERE no = n AND rule_id = 0 AND NOT is_removal) AS c
	WHERE k.kind = item ->> 0 AND k.a = item ->> 1 AND k.b = item ->> 2;
	INSERT INTO key_row (kind, a, b, data)
	SELECT DISTINCT ON (item ->> 0, item ->> 1, item ->> 2) item ->> 0, item ->> 1, item ->> 2, item -> 3
	FROM (SELECT position, text::jsonb AS item FROM change_row WHERE no = n AND rule_id = 0 AND NOT is_removal) AS c
	WHERE item ->> 0 <> 'note' AND jsonb_typeof(item -> 3) <> 'null'
	ORDER BY item ->> 0, item ->> 1, item ->> 2, position DESC;
	INSERT INTO change (no, mark, time_unix, author, what, owner, undoes, host_id, n_rows, detail)
	VALUES (n, m, (a ->> 'time')::bigint, a ->> 'author', a ->> 'what', nullif(a ->> 'owner', ''),
		nullif((a ->> 'undoes')::bigint, 0), a_host, (SELECT count(*) FROM change_row WHERE no = n), a);
	IF a ? 'keys' THEN
		FOR i IN 0 .. jsonb_array_length(a -> 'keys') - 1 LOOP
			INSERT INTO tombstone (a, b, time_unix, no)
			VALUES (a -> 'keys' -> i ->> 0, a -> 'keys' -> i ->> 1, (a ->> 'time')::bigint, n)
			ON CONFLICT ON CONSTRAINT tombstone_pkey DO UPDATE SET time_unix = excluded.time_unix, no = excluded.no;
			DELETE FROM feed AS f
			WHERE f.kind = 'pair' AND f.a = change_commit.a -> 'keys' -> i ->> 0
				AND f.b = change_commit.a -> 'keys' -> i ->> 1 AND f.y <= (change_commit.a ->> 'time')::bigint;
		END LOOP;
	END IF;
	IF a ? 'person' THEN
		PERFORM person_remove(a ->> 'person', ARRAY(SELECT jsonb_array_elements_text(a -> 'forms')), NULL);
	END IF;
	UPDATE site
	SET no = n, mark = m, next_rule = greatest(next_rule, (a ->> 'next_rule')::bigint),
		paused_until_unix = CASE WHEN (a ->> 'is_pause')::boolean THEN (a ->> 'paused_until')::bigint
			ELSE paused_until_unix END;
	PERFORM pg_notify('pgpgate', 'rules');
	RETURN jsonb_build_object('no', n, 'mark', m);
END
$$;

CREATE OR REPLACE FUNCTION host_forget(a_name text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$
BEGIN
	UPDATE host
	SET name = name || ' until ' || now()::text, lease_until = now(), boot = 'forgotten', is_gone = true
	WHERE name = a_name AND NOT is_gone;
	RETURN FOUND;
END
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA pgpgate FROM PUBLIC;

UPDATE site SET version = 2 WHERE version < 2;
