/** The store battery through a running all-in-one: what its users can ask over the network. */

import { runExcused } from "./battery-test.ts";
import { openProduct, PRODUCT_EXCUSES } from "./product-store.ts";
import { runStoreBattery } from "./store-battery.ts";

runExcused("all-in-one", PRODUCT_EXCUSES, () => runStoreBattery("all-in-one", openProduct));
