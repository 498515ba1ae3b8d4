-- 1 Owners of a building that missed its maintenance report and has no management committee
SELECT o.owner_name, o.owner_address FROM fire_premises f
  JOIN maintenance_reports m ON m.premises_no = f.premises_no AND m.result = '未申報'
  JOIN registered_buildings b ON b.plate_key = f.plate_key
  JOIN building_ownerships o ON o.building_key = b.building_key WHERE f.has_committee = 0;
-- 2 People registered in the commercial zone of 金泰段 (大彎北段)
SELECT h.household_no FROM land_sections s JOIN parcels p ON p.section_key = s.section_key
  JOIN parcel_zones z ON z.parcel_key = p.parcel_key JOIN zones n ON n.zone_no = z.zone_no AND n.zone_class = '商'
  JOIN use_permit_parcels l ON l.parcel_key = p.parcel_key
  JOIN use_permit_addresses a ON a.permit_no = l.permit_no
  JOIN households h ON h.address_key = a.address_key WHERE s.section_name = '金泰段';
-- 3 Who lives in buildings that failed inspection and stand in an industrial zone
SELECT h.household_no FROM fire_inspections i JOIN fire_premises f ON f.premises_no = i.premises_no
  JOIN use_permit_parcels l ON l.permit_no = f.use_permit_no JOIN parcel_zones z ON z.parcel_key = l.parcel_key
  JOIN zones n ON n.zone_no = z.zone_no AND n.zone_class = '工'
  JOIN households h ON h.plate_key = f.plate_key WHERE i.result = '不合格';
-- 4 All parcels of one person with zoning, value and share
SELECT p.parcel_key FROM persons q JOIN land_ownerships o ON o.owner_id = q.national_id
  JOIN parcels p ON p.parcel_key = o.parcel_key JOIN parcel_zones z ON z.parcel_key = p.parcel_key WHERE q.national_id = 'A123456789';
-- 5 The owner of a home is registered in it
SELECT b.building_key FROM registered_buildings b JOIN building_ownerships o ON o.building_key = b.building_key
  JOIN households h ON h.address_key = b.address_key
  JOIN persons q ON q.household_no = h.household_no AND q.national_id = o.owner_id;
-- 6 Property of a household's members
SELECT o.share FROM households h JOIN persons q ON q.household_no = h.household_no
  JOIN building_ownerships o ON o.owner_id = q.national_id;
-- 7 People above 80 living alone where the fire inspection failed
SELECT q.name FROM households h JOIN persons q ON q.household_no = h.household_no
  JOIN fire_premises f ON f.plate_key = h.plate_key JOIN fire_inspections i ON i.premises_no = f.premises_no
  JOIN use_permits u ON u.permit_no = f.use_permit_no AND u.floors_above > 5
  WHERE h.household_type = '單獨生活戶' AND q.birth_date < '1946-06-30' AND i.result = '不合格';
-- 8 Relatives in another household
SELECT c.name FROM persons c JOIN persons f ON f.national_id = c.father_id WHERE f.household_no <> c.household_no;
-- 9 Rooms let by the day in a building for housing
SELECT f.name FROM fire_premises f JOIN maintenance_reports m ON m.premises_no = f.premises_no AND m.result = '未申報'
  JOIN use_permit_floors u ON u.permit_no = f.use_permit_no AND u.use_group = 'H2'
  JOIN households h ON h.plate_key = f.plate_key WHERE f.usage = '旅館' AND f.name = '日租套房';
-- 10 Residents of a place where rescue is difficult
SELECT h.household_no FROM fire_premises f JOIN households h ON h.plate_key = f.plate_key
  WHERE f.rescue_grade IS NOT NULL AND f.alley_width_m < 4;
-- 11 Households at a plate without a building
SELECT h.household_no FROM households h
  WHERE NOT EXISTS (SELECT 1 FROM registered_buildings b WHERE b.plate_key = h.plate_key)
    AND NOT EXISTS (SELECT 1 FROM use_permit_addresses a WHERE a.address_key = h.address_key);
-- 12 Owners and mortgages of a renewal unit
SELECT o.owner_name FROM zones n JOIN parcel_zones z ON z.zone_no = n.zone_no
  JOIN land_ownerships o ON o.parcel_key = z.parcel_key
  JOIN land_rights r ON r.parcel_key = z.parcel_key WHERE n.renewal_unit = '大同01';
-- 13 Old low buildings with a yellow tag on private land
SELECT u.permit_no FROM use_permits u JOIN use_permit_parcels l ON l.permit_no = u.permit_no
  JOIN parcels p ON p.parcel_key = l.parcel_key AND p.ownership_kind = '私有'
  WHERE u.danger_tag = '黃單' AND u.completed_on < '1996-06-30' AND u.floors_above <= 5;
-- 14 Children of school age who live with a parent who owns the home
SELECT c.national_id FROM persons c JOIN persons f ON f.national_id = c.father_id AND f.household_no = c.household_no
  JOIN households h ON h.household_no = c.household_no JOIN registered_buildings b ON b.address_key = h.address_key
  JOIN building_ownerships o ON o.building_key = b.building_key AND o.owner_id = f.national_id
  WHERE c.birth_date > '2010-01-01';
-- 15 People living where the approved use is office or factory
SELECT h.household_no FROM use_permit_floors u JOIN use_permit_addresses a ON a.permit_no = u.permit_no
  JOIN households h ON h.address_key = a.address_key WHERE u.use_group IN ('G2', 'C2');
-- 16 Owners who have died
SELECT q.national_id FROM persons q JOIN building_ownerships o ON o.owner_id = q.national_id WHERE q.status = '死亡'
