-- One generation of one catalog's index. {s} is the name of its Postgres schema. The digest of this file is the
-- version of the cache: change anything here and every index is rebuilt from the sidecars, never migrated.

CREATE SCHEMA {s};

-- An original, as its sidecar tells it: a pure function of the file, without clock or insertion order.
CREATE TABLE {s}.original (
    source      text COLLATE "C" NOT NULL,
    path        text COLLATE "C" NOT NULL,
    etag        bytea NOT NULL,              -- SHA-256 of the sidecar's bytes
    id          text COLLATE "C" NOT NULL,
    sha256      bytea,                       -- null while the original cannot be read
    media       text COLLATE "C" NOT NULL,
    format      text COLLATE "C" NOT NULL,
    size        bigint NOT NULL,
    width       bigint,
    height      bigint,
    duration    float8,
    taken       timestamp,                   -- first moment of the date, which may be a month or a year
    taken_text  text COLLATE "C",            -- the date as exact as it is known
    camera      text,
    lens        text,
    iso         bigint,
    latitude    float8,
    longitude   float8,
    rating      smallint,
    quality     real,
    content_id  text COLLATE "C",            -- the same in the still and the video of a Live Photo
    dhash       bigint,                      -- null where the picture holds too little for a hash
    phash       bigint,
    missing     boolean NOT NULL,
    words       tsvector NOT NULL,
    rest        jsonb NOT NULL               -- what has no column: curation, exposure, parts of the quality, what models saw
) WITH (toast_tuple_target = 8160);          -- compressing a row costs more than it saves
-- no query is planned by them
ALTER TABLE {s}.original ALTER etag SET STATISTICS 0, ALTER rest SET STATISTICS 0;

-- What is wrong: with an original, or with a document that a person edited (then with line and column).
CREATE TABLE {s}.problem (
    source      text COLLATE "C" NOT NULL,
    path        text COLLATE "C" NOT NULL,
    code        text COLLATE "C" NOT NULL,
    message     text NOT NULL,
    line        integer,
    "column"    integer
);

-- By what a scan recognises an original and its sidecar as unchanged. No part of the logical content.
CREATE TABLE {s}.seen (
    source      text COLLATE "C" NOT NULL,
    path        text COLLATE "C" NOT NULL,
    fingerprint text COLLATE "C" NOT NULL,
    etag        text COLLATE "C" NOT NULL
);

-- Originals whose sidecar does not parse at present: the row above is the last good one.
CREATE TABLE {s}.stale (
    source      text COLLATE "C" NOT NULL,
    path        text COLLATE "C" NOT NULL,
    PRIMARY KEY (source, path)
);

-- version: digest of this file; catalog: where it lies; generation: a random name; revision: counts the changes of
-- table original since.
CREATE TABLE {s}.meta (
    name        text COLLATE "C" PRIMARY KEY,
    value       text NOT NULL
);

-- indexes: built after the tables are filled
ALTER TABLE {s}.original ADD PRIMARY KEY (source, path);
ALTER TABLE {s}.seen ADD PRIMARY KEY (source, path);
CREATE INDEX ON {s}.problem (source, path);
CREATE INDEX ON {s}.original (taken DESC NULLS LAST, source, path);
CREATE INDEX ON {s}.original (sha256);
CREATE INDEX ON {s}.original (id);
CREATE INDEX ON {s}.original (quality);
CREATE INDEX ON {s}.original (size);
CREATE INDEX ON {s}.original (rating) WHERE rating IS NOT NULL;
CREATE INDEX ON {s}.original (iso) WHERE iso IS NOT NULL;
CREATE INDEX ON {s}.original (content_id) WHERE content_id IS NOT NULL;
CREATE INDEX ON {s}.original USING gin (words) WITH (fastupdate = off);
-- Whoever changes rows and is not us leaves a note; the next scan of everything makes the index anew. (A comment ends the
-- lines of the function, because these statements are told apart by a semicolon at the end of a line.)
CREATE FUNCTION {s}.note_other_hands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('application_name') <> 'lumina-fs' THEN
        EXECUTE format('INSERT INTO %I.meta VALUES (''altered'', ''1'') ON CONFLICT DO NOTHING', TG_TABLE_SCHEMA); --
    END IF; --
    RETURN NULL; --
END $$;
CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {s}.original EXECUTE FUNCTION {s}.note_other_hands();
CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {s}.seen EXECUTE FUNCTION {s}.note_other_hands();
CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {s}.problem EXECUTE FUNCTION {s}.note_other_hands();
CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {s}.stale EXECUTE FUNCTION {s}.note_other_hands();
