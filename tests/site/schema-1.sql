-- SPDX-License-Identifier: ISC
--
-- The centre of a site, in PostgreSQL 13 or later: rules, changes, what hosts share of history, and the record of all
-- hosts (pgpgate-site(7)). `pgpgate site init` runs it in one transaction. Columns are only ever added.
--
-- Times are seconds since 1970 (_unix), as on the hosts. Addresses as keys are written as there, too: domain first.
-- A host reaches all of it through functions, which run with the rights of the schema's owner.

CREATE SCHEMA pgpgate;

SET LOCAL search_path = pgpgate;

CREATE TABLE site (
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

CREATE TABLE feed_counter (
	id integer PRIMARY KEY CHECK (id = 1),  -- one row; whoever adds to the feed has it locked
	no bigint NOT NULL
);

CREATE TABLE rule (
	id bigint PRIMARY KEY,
	recipient text NOT NULL,
	sender text NOT NULL,                   -- '': any
	client text NOT NULL,                   -- '': any
	text text NOT NULL,                     -- as `pgpgate import` reads it
	author text NOT NULL,
	created_at_unix bigint NOT NULL,
	UNIQUE (recipient, sender, client)
);

CREATE TABLE change (
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

CREATE TABLE change_row (
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

CREATE TABLE host (
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
CREATE TABLE feed (
	no bigint PRIMARY KEY,
	host_id uuid NOT NULL,
	kind text NOT NULL,                     -- pair, window, bounce, split
	a text NOT NULL,
	b text NOT NULL,
	c text NOT NULL,
	x bigint NOT NULL,                      -- pair: first; split: bit 0 passed, bit 1 yields
	y bigint NOT NULL,                      -- time of the last message
	UNIQUE (kind, a, b, c)
);

CREATE TABLE tombstone (
	a text NOT NULL,
	b text NOT NULL,
	time_unix bigint NOT NULL,              -- what a pair did until then does not count
	PRIMARY KEY (a, b)
);

CREATE TABLE verdict (
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

CREATE INDEX verdict_by_time ON verdict (time_unix);
CREATE INDEX verdict_by_queue_id ON verdict (queue_id);

-- ---- for people ----

CREATE VIEW hosts AS
SELECT name, version, last_seen, extract(epoch FROM now() - last_seen)::bigint AS silent_s, rules_no,
	(SELECT no FROM site) - rules_no AS rules_behind, waiting, oldest_unix, offset_ms, here
FROM host;

CREATE VIEW verdicts AS
SELECT h.name AS mx, v.no, to_timestamp(v.time_unix) AS time, v.queue_id, v.client, v.authenticated, v.sender_key,
	v.header_from_key, v.is_local, v.message_id, v.size_bytes, v.verdict, v.form, v.reason, v.detail, v.action,
	v.would, v.reply, v.recipients
FROM verdict AS v
LEFT JOIN host AS h ON h.host_id = v.host_id;

CREATE VIEW refusals_by_day AS
SELECT to_timestamp(v.time_unix)::date AS day, h.name AS mx, v.reason, count(*) AS n
FROM verdict AS v
LEFT JOIN host AS h ON h.host_id = v.host_id
WHERE v.action = 'refuse'
GROUP BY 1, 2, 3;

-- ---- for hosts ----

-- Which server this is, started when: a host that sees another one reads the feed from its beginning.
CREATE FUNCTION started() RETURNS text
LANGUAGE sql STABLE
AS $$ SELECT pg_postmaster_start_time()::text || coalesce(' ' || inet_server_addr()::text, '') $$;

-- The lease of a host's name: one machine, one database. Another one is refused while it lasts.
CREATE FUNCTION lease(a_host uuid, a_boot text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$
DECLARE
	h host%ROWTYPE;
BEGIN
	SELECT * INTO h FROM host WHERE host_id = a_host FOR UPDATE;
	IF NOT FOUND THEN
		RETURN 'this host does not belong to the site (any more)';
	END IF;
	IF h.boot <> a_boot AND h.lease_until > now() THEN
		RETURN 'another machine or database calls itself ' || h.name || ': has this one been cloned';
	END IF;
	UPDATE host SET boot = a_boot, lease_until = now() + interval '15 seconds' WHERE host_id = a_host;
	RETURN NULL;
END
$$;

CREATE FUNCTION register(a_name text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$
DECLARE
	mine uuid;
BEGIN
	INSERT INTO host (name) VALUES (a_name) RETURNING host_id INTO mine;
	RETURN (SELECT jsonb_build_object('host', mine, 'site', site_id, 'hash_check', hash_check, 'hash_key', hash_key)
		FROM site);
EXCEPTION WHEN unique_violation THEN
	RETURN jsonb_build_object('error', 'the site has a host ' || a_name || ' already; `pgpgate site forget ' || a_name ||
		'`, if it is gone, or set host_name');
END
$$;

CREATE FUNCTION unregister(a_host uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$ UPDATE host SET name = name || ' until ' || now()::text, lease_until = now() WHERE host_id = a_host $$;

-- A host says how far it is and gets what comes next.
CREATE FUNCTION pull(a_host uuid, a_boot text, a jsonb) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$
DECLARE
	refused text := lease(a_host, a_boot);
	s site%ROWTYPE;
	h host%ROWTYPE;
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
	UPDATE host
	SET last_seen = now(), version = a ->> 'version', rules_no = mine, feed_no = feed_from,
		waiting = (a ->> 'waiting')::bigint, oldest_unix = (a ->> 'oldest')::bigint,
		offset_ms = (a ->> 'offset')::bigint, here = a ->> 'here'
	WHERE host_id = a_host
	RETURNING * INTO h;
	SELECT * INTO s FROM site;
	IF a ->> 'started' <> started() THEN
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
			FILTER (WHERE f.host_id <> a_host OR feed_from = 0), '[]'), max(f.no)
	INTO items, feed_to
	FROM (SELECT * FROM feed WHERE no > feed_from ORDER BY no LIMIT 2000) AS f;
	RETURN jsonb_build_object('site', s.site_id, 'version', s.version, 'started', started(), 'no', s.no, 'mark', s.mark,
		'snapshot', NOT known, 'changes', changes, 'feed', items, 'feed_no', coalesce(feed_to, feed_from),
		'pushed', h.pushed_no, 'now_ms', (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
		'hash_check', s.hash_check);
END
$$;

CREATE FUNCTION change_rows(a_no bigint, a_after bigint, a_limit integer) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$
	SELECT coalesce(jsonb_agg(jsonb_build_array(position, text, is_removal, rule_id, author, created_at_unix)
		ORDER BY position), '[]')
	FROM (SELECT * FROM change_row WHERE no = a_no AND position > a_after ORDER BY position LIMIT a_limit) AS r
$$;

CREATE FUNCTION snapshot_head() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$ SELECT jsonb_build_object('no', no, 'mark', mark, 'paused', paused_until_unix) FROM site $$;

CREATE FUNCTION snapshot_rows(a_after bigint, a_limit integer) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$
	SELECT coalesce(jsonb_agg(jsonb_build_array(id, text, false, id, author, created_at_unix) ORDER BY id), '[]')
	FROM (SELECT * FROM rule WHERE id > a_after ORDER BY id LIMIT a_limit) AS r
$$;

CREATE FUNCTION make_partition(a_unix bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$
DECLARE
	month timestamp := date_trunc('month', to_timestamp(a_unix) AT TIME ZONE 'UTC');
	name text := 'verdict_' || to_char(month, 'YYYY_MM');
BEGIN
	IF to_regclass('pgpgate.' || name) IS NOT NULL THEN
		RETURN;
	END IF;
	PERFORM pg_advisory_xact_lock(1346850887, 1);
	IF to_regclass('pgpgate.' || name) IS NULL THEN
		EXECUTE format('CREATE TABLE pgpgate.%I PARTITION OF pgpgate.verdict FOR VALUES FROM (%s) TO (%s)', name,
			extract(epoch FROM month AT TIME ZONE 'UTC')::bigint,
			extract(epoch FROM (month + interval '1 month') AT TIME ZONE 'UTC')::bigint);
	END IF;
END
$$;

-- A host's rows, what they changed of what others ask, and how far it is now: one transaction.
CREATE FUNCTION push(a_host uuid, a_boot text, a_to bigint, a_rows jsonb, a_feed jsonb, a_retracted jsonb) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$
DECLARE
	refused text := lease(a_host, a_boot);
	month bigint;
	n bigint;
	base bigint;
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
		-- A number that has another message already is another machine's.
		IF EXISTS (
			SELECT 1
			FROM jsonb_array_elements(a_rows) AS r
			JOIN verdict AS v ON v.host_id = a_host AND v.no = (r ->> 0)::bigint
			WHERE v.no <= (SELECT pushed_no FROM host WHERE host_id = a_host)
				AND (v.time_unix <> (r ->> 1)::bigint OR v.queue_id <> r ->> 2)) THEN
			RETURN jsonb_build_object('error', 'rows of another database are here under the numbers of this one: '
				'has it been cloned, or restored from a backup? `pgpgate site leave` and `pgpgate site join` make it a new host');
		END IF;
		INSERT INTO verdict
		SELECT a_host, (r ->> 0)::bigint, (r ->> 1)::bigint, r ->> 2, r ->> 3, r ->> 4, r ->> 5, r ->> 6, r ->> 7,
			(r ->> 8)::int <> 0, r ->> 9, (r ->> 10)::bigint, (r ->> 11)::bigint, r ->> 12, r ->> 13, r ->> 14,
			r ->> 15, (r ->> 16)::bigint, (r ->> 17)::int <> 0, r ->> 18, r ->> 19, r ->> 20, r -> 21
		FROM jsonb_array_elements(a_rows) AS r
		ON CONFLICT DO NOTHING;
	END IF;
	UPDATE verdict AS v
	SET action = r ->> 2, would = r ->> 3, reply = r ->> 4
	FROM jsonb_array_elements(a_retracted) AS r
	WHERE v.host_id = a_host AND v.no = (r ->> 0)::bigint AND v.time_unix = (r ->> 1)::bigint;
	IF jsonb_array_length(a_feed) > 0 THEN
		UPDATE feed_counter SET no = no + jsonb_array_length(a_feed) RETURNING no INTO n;
		base := n - jsonb_array_length(a_feed);
		INSERT INTO feed AS f (no, host_id, kind, a, b, c, x, y)
		SELECT base + i.ordinality, a_host, i.value ->> 0, i.value ->> 1, i.value ->> 2, i.value ->> 3,
			(i.value ->> 4)::bigint, (i.value ->> 5)::bigint
		FROM jsonb_array_elements(a_feed) WITH ORDINALITY AS i (value, ordinality)
		WHERE NOT EXISTS (
			SELECT 1
			FROM tombstone AS t
			WHERE i.value ->> 0 = 'pair' AND t.a = i.value ->> 1 AND t.b = i.value ->> 2
				AND (i.value ->> 5)::bigint <= t.time_unix)
		ON CONFLICT (kind, a, b, c) DO UPDATE
		SET no = excluded.no,
			host_id = excluded.host_id,
			x = CASE WHEN f.kind = 'pair' THEN least(f.x, excluded.x) ELSE excluded.x END,
			y = greatest(f.y, excluded.y)
		WHERE excluded.y > f.y OR excluded.x < f.x OR f.kind = 'split';
		PERFORM pg_notify('pgpgate', 'feed');
	END IF;
	UPDATE host SET pushed_no = greatest(pushed_no, a_to) WHERE host_id = a_host;
	RETURN jsonb_build_object('pushed', a_to);
END
$$;

-- What is too old goes, by the month.
CREATE FUNCTION maintain() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$
DECLARE
	kept bigint := (SELECT verdict_retention_s FROM site);
	part text;
BEGIN
	DELETE FROM feed WHERE kind = 'split' AND y < extract(epoch FROM now()) - 86400;
	IF kept = 0 THEN
		RETURN;
	END IF;
	FOR part IN
		SELECT c.relname
		FROM pg_inherits AS i
		JOIN pg_class AS c ON c.oid = i.inhrelid
		WHERE i.inhparent = 'pgpgate.verdict'::regclass
			AND extract(epoch FROM (to_date(substr(c.relname, 9), 'YYYY_MM') + interval '1 month')
				AT TIME ZONE 'UTC') < extract(epoch FROM now()) - kept
	LOOP
		EXECUTE format('DROP TABLE pgpgate.%I', part);
	END LOOP;
END
$$;

CREATE FUNCTION hosts_json() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$
	SELECT jsonb_build_object('no', (SELECT no FROM site), 'hosts', coalesce(jsonb_agg(jsonb_build_object('name', name,
		'version', version, 'silent_s', extract(epoch FROM now() - last_seen)::bigint, 'rules_no', rules_no,
		'waiting', waiting, 'oldest', oldest_unix, 'offset_ms', offset_ms, 'here', here) ORDER BY name), '[]'))
	FROM host
	WHERE name NOT LIKE '% until %'
$$;

-- ---- for those who change rules ----

-- One at a time: until the end of the transaction.
CREATE FUNCTION change_begin() RETURNS jsonb
LANGUAGE sql SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$ SELECT jsonb_build_object('no', no, 'mark', mark, 'next_rule', next_rule) FROM site FOR UPDATE $$;

CREATE FUNCTION change_add(a_rows jsonb) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$
	INSERT INTO change_row (no, position, recipient, sender, client, text, is_removal, rule_id, author, created_at_unix)
	SELECT (SELECT no + 1 FROM site), (r ->> 0)::bigint, r ->> 1, r ->> 2, r ->> 3, r ->> 4, (r ->> 5)::boolean,
		(r ->> 6)::bigint, r ->> 7, (r ->> 8)::bigint
	FROM jsonb_array_elements(a_rows) AS r
$$;

CREATE FUNCTION change_commit(a_host uuid, a jsonb) RETURNS jsonb
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
	WHERE no = n AND NOT is_removal;
	INSERT INTO change (no, mark, time_unix, author, what, owner, undoes, host_id, n_rows, detail)
	VALUES (n, m, (a ->> 'time')::bigint, a ->> 'author', a ->> 'what', nullif(a ->> 'owner', ''),
		nullif((a ->> 'undoes')::bigint, 0), a_host, (SELECT count(*) FROM change_row WHERE no = n), a);
	IF a ? 'keys' THEN
		FOR i IN 0 .. jsonb_array_length(a -> 'keys') - 1 LOOP
			INSERT INTO tombstone (a, b, time_unix)
			VALUES (a -> 'keys' -> i ->> 0, a -> 'keys' -> i ->> 1, (a ->> 'time')::bigint)
			ON CONFLICT ON CONSTRAINT tombstone_pkey DO UPDATE SET time_unix = excluded.time_unix;
			DELETE FROM feed AS f
			WHERE f.kind = 'pair' AND f.a = change_commit.a -> 'keys' -> i ->> 0
				AND f.b = change_commit.a -> 'keys' -> i ->> 1 AND f.y <= (change_commit.a ->> 'time')::bigint;
		END LOOP;
	END IF;
	UPDATE site
	SET no = n, mark = m, next_rule = greatest(next_rule, (a ->> 'next_rule')::bigint),
		paused_until_unix = CASE WHEN (a ->> 'is_pause')::boolean THEN (a ->> 'paused_until')::bigint
			ELSE paused_until_unix END;
	PERFORM pg_notify('pgpgate', 'rules');
	RETURN jsonb_build_object('no', n, 'mark', m);
END
$$;

CREATE FUNCTION host_forget(a_name text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pgpgate, pg_temp
AS $$
BEGIN
	UPDATE host SET name = name || ' until ' || now()::text, lease_until = now(), boot = 'forgotten'
	WHERE name = a_name;
	RETURN FOUND;
END
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA pgpgate FROM PUBLIC;
