-- What PostGraphile serves in the benchmarks: our data, laid out as suits it best.
--
-- Tables of its own in schema `pgl`, only with what is public now (it need not ask for rights), only with the columns
-- that are asked for, and indexed for the orders that are asked for. The choice of a language is a computed column:
-- `returns setof`, stable, one statement, not strict, so that PostgreSQL inlines it into the statement that uses it.

drop schema if exists pgl cascade;
create schema pgl;

create table pgl.city as
  select c.id, c.slug, o.key as sort_name from organisation c join membership m on m.organisation_id = c.id
  join organisation_place o on o.organisation_id = c.id and o.locale = 'en' where c.kind = 'city'
  and m.status in ('associate', 'full', 'friendship', 'corporate', 'suspended', 'resigning') order by sort_name;
alter table pgl.city add primary key (id), add unique (slug);
create index on pgl.city (sort_name, id);

create table pgl.city_name as select n.organisation_id as city_id, n.locale, n.name from organisation_name n join pgl.city c on c.id = n.organisation_id order by 1, 2;
alter table pgl.city_name add primary key (city_id, locale), add foreign key (city_id) references pgl.city;

create table pgl.practice as
  select id, slug, city_id, original_locale, themes, sorted_at from practice where public_from <= now() order by id;
alter table pgl.practice add primary key (id), add unique (slug), add foreign key (city_id) references pgl.city;
create index on pgl.practice (sorted_at desc, id desc);
create index on pgl.practice (city_id, sorted_at desc, id desc);

create table pgl.reading as
  select r.document_id as practice_id, r.locale, r.title, r.summary
  from content_reading r join pgl.practice p on p.id = r.document_id order by 1, 2;
alter table pgl.reading add primary key (practice_id, locale), add foreign key (practice_id) references pgl.practice;

create table pgl.section as
  select s.document_id as practice_id, s.locale, s.position, s.key, s.heading, s.body
  from content_section s join pgl.reading r on (r.practice_id, r.locale) = (s.document_id, s.locale) order by 1, 2, 3;
alter table pgl.section add primary key (practice_id, locale, position),
  add foreign key (practice_id, locale) references pgl.reading;

create function pgl.city_named(c pgl.city, locales text[]) returns setof pgl.city_name
language sql stable rows 1 as $$
  (select n.* from pgl.city_name n where n.city_id = c.id and n.locale = locales[1])
  union all
  (select n.* from pgl.city_name n where n.city_id = c.id and n.locale = locales[2])
  union all
  (select n.* from pgl.city_name n where n.city_id = c.id and n.locale = 'en')
  limit 1
$$;

create function pgl.practice_told(p pgl.practice, locales text[]) returns setof pgl.reading
language sql stable rows 1 as $$
  (select r.* from pgl.reading r where r.practice_id = p.id and r.locale = locales[1])
  union all
  (select r.* from pgl.reading r where r.practice_id = p.id and r.locale = locales[2])
  union all
  (select r.* from pgl.reading r where r.practice_id = p.id and r.locale = p.original_locale)
  limit 1
$$;

create function pgl.practice_translations(p pgl.practice) returns setof pgl.reading
language sql stable rows 3 as $$
  select r.* from pgl.reading r where r.practice_id = p.id and r.locale <> p.original_locale order by r.locale
$$;

create function pgl.practice_original(p pgl.practice) returns setof pgl.reading
language sql stable rows 1 as $$
  select r.* from pgl.reading r where r.practice_id = p.id and r.locale = p.original_locale
$$;

comment on constraint reading_practice_id_fkey on pgl.reading is '@foreignFieldName readings';
comment on constraint section_practice_id_locale_fkey on pgl.section is '@foreignFieldName sections';
comment on constraint practice_city_id_fkey on pgl.practice is '@foreignFieldName practices';

analyze pgl.city, pgl.city_name, pgl.practice, pgl.reading, pgl.section;
