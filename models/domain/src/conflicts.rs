//! What holds where a site and the cloud have said different things, above all while they could not
//! hear of each other. One rule each; the last column names the test that holds it.
//!
//! Neither side compares wall clocks of the two to find out who was later: of two machines that were
//! apart nobody can tell. Each kind of thing has one side whose word counts instead.
//!
//! | what | whose word counts, and what becomes of the other's | test |
//! |---|---|---|
//! | **A fee is taken at the site and at the cloud** | Both payments are real and both are kept. When the stay has ended, what was taken beyond its fee is an alert `refund_due` at the cloud until it has been given back. A payment of the cloud for a car that has left is passed over by the site with a reason, and stands at the cloud. | `services::parking::barrier::a_fee_that_is_taken_at_both_ends_is_a_refund_that_is_due` |
//! | **A stay** (when it began and ended, by which lanes, what it cost) | The site's. What the cloud had begun for the same plate becomes the site's stay; what it had thought of the end gives way. | `services::parking::barrier` |
//! | **A plate is corrected at the cloud** while its car is inside | The cloud's: the site is told and lets the car out by the right plate. | `gate::tests::cloud::a_plate_that_was_corrected_lets_its_car_out` |
//! | **… while the site closes the stay** | Both: the stay ends as the site says, under the plate that the cloud says. The site passes the correction over. | `services::parking::barrier::a_plate_that_is_corrected_while_its_stay_ends_keeps_both` |
//! | **A permit is revoked while its car is inside** | The time until then stays free, the time from then on is charged by the tariff of the entry. It opens nothing more, also where the site's clock is not set. | `gate::tests::cloud::a_permit_that_is_revoked_while_its_car_is_inside_is_charged_from_then_on` |
//! | **A plate has a permit and is denied** | Denied, whichever side says so. A denial keeps nobody inside. | `gate::tests::cloud::a_denial_comes_before_a_permit_whoever_says_so` |
//! | **A permit of the configuration file** and the cloud's list | Either is enough. The cloud cannot revoke one of the file; it can deny the plate. | `gate::tests::cloud::the_cloud_cannot_revoke_a_permit_of_the_configuration` |
//! | **An operator at the site opens what the cloud denied** | The operator's: who stands there sees more. The decision says who it was and what it would have been otherwise, and so does the cloud's log. | `gate::tests::cloud::an_operator_opens_what_the_cloud_denies_and_the_record_says_both` |
//! | **A tariff is changed during a stay** | A stay keeps the tariff that stood at its site when it began, whatever the cloud had set meanwhile. | `gate::tests::cloud::a_stay_keeps_the_tariff_that_it_began_by` |
//! | **A tariff, or a parameter, is in the configuration file and set at the cloud** | The cloud's, for each value of which it says anything, also after the file was edited. The file's, where the cloud says nothing or has taken its word back; what the cloud reckons by as well, the time to leave after paying, the site tells it at every start. | `gate::tests::cloud::what_the_cloud_sets_holds_and_the_rest_is_as_configured`, `services::parking::barrier::who_has_paid_has_the_time_to_leave_that_the_sites_own_file_says` |
//! | **The site's list and the cloud's differ** (a damaged file, a cloud that was restored from a copy) | The cloud's, fetched anew and whole. Until it is there, the site's own. | `lists::tests::what_does_not_add_up_is_fetched_anew_and_the_old_list_holds_meanwhile` |
//! | **Somebody at the cloud has a lane opened, and the line was cut** | Nothing opens any more once the command's life is over; the site's journal and the cloud's log say that it was passed over. | `tests/tests/permits.rs` |
//! | **The clocks differ** | How long ago something was paid, and how long a command may live, is told on the cloud's clock alone and continued on the site's monotonic one. Whether a permit's dates hold is judged on the site's clock, where that is set; where it is not, dates are not judged. | `services::directives`, `gate::tests::entry` |
